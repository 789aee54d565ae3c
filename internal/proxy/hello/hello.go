// Package hello reads the server name in a TLS ClientHello (RFC 8446, RFC 6066), without
// ending TLS. It is strict: whatever two servers could read in two ways is no hello, so that
// a client cannot show one name to the proxy and another one to the backend.
package hello

import (
	"errors"
	"fmt"
)

// Max is how many bytes of a client's are looked at, at most. Hellos have some hundred bytes,
// and about two thousand with post-quantum keys.
const Max = 16 << 10

// Errors. Those of bad hellos wrap ErrBad.
var (
	ErrShort  = errors.New("the ClientHello is not complete")
	ErrNotTLS = errors.New("the first bytes are not TLS")
	ErrBad    = errors.New("the ClientHello is damaged")
)

// What the protocol calls by numbers.
const (
	recordHandshake = 22
	messageHello    = 1
	majorVersion    = 3
	maxRecord       = 16 << 10
	recordHeader    = 5
	messageHeader   = 4
)

// ServerName returns the host name in a client's first bytes, in lower case; empty: the
// hello has none. What comes after the hello is not looked at. ErrShort: more bytes are
// needed. ErrNotTLS: another protocol is spoken. Else an error wraps ErrBad.
func ServerName(first []byte) (string, error) {
	if len(first) > 0 && first[0] != recordHandshake {
		return "", ErrNotTLS
	}
	message, err := handshake(first)
	switch {
	case errors.Is(err, ErrShort) && len(first) >= Max:
		return "", bad("it is longer than %d bytes", Max)
	case err != nil:
		return "", err
	}
	return serverName(message)
}

// handshake returns the ClientHello, put together from the records that it is spread over.
func handshake(b []byte) ([]byte, error) {
	var message []byte
	for {
		record, rest, err := nextRecord(b)
		if err != nil {
			return nil, err
		}
		message, b = append(message, record...), rest
		if message[0] != messageHello {
			return nil, bad("its first message is of type %d", message[0])
		}
		if len(message) < messageHeader {
			continue
		}
		end := messageHeader + int(message[1])<<16 + int(message[2])<<8 + int(message[3])
		if end > Max {
			return nil, bad("it says that it is %d bytes long", end)
		}
		if len(message) >= end {
			return message[messageHeader:end], nil
		}
	}
}

// nextRecord returns what the first record holds, and what follows it.
func nextRecord(b []byte) (record, rest []byte, err error) {
	if len(b) > 0 && b[0] != recordHandshake {
		return nil, nil, bad("a record of type %d is in its midst", b[0])
	}
	if len(b) > 1 && b[1] != majorVersion {
		return nil, nil, bad("its record has the version %d", b[1])
	}
	if len(b) < recordHeader {
		return nil, nil, ErrShort
	}
	n := int(b[3])<<8 | int(b[4])
	if n == 0 || n > maxRecord {
		return nil, nil, bad("its record is %d bytes long", n)
	}
	if len(b) < recordHeader+n {
		return nil, nil, ErrShort
	}
	return b[recordHeader : recordHeader+n], b[recordHeader+n:], nil
}

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrBad, fmt.Sprintf(format, args...))
}
