// Package proxyproto has connections' addresses told by the PROXY protocol, versions 1 and 2
// (https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt): Acceptor takes headers from
// the load balancers in front, and Send begins connections to backends with one.
package proxyproto

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/netip"

	wire "github.com/pires/go-proxyproto"
)

// Ends are the addresses of a connection.
type Ends struct {
	Client net.Addr // who began it
	Proxy  net.Addr // where the client went
}

// Named returns the ends of a connection for a client that is known by its address alone.
// proxy is where it went, if that is known.
func Named(client netip.AddrPort, proxy net.Addr) Ends {
	if _, ok := proxy.(*net.TCPAddr); !ok { // without it there would be no header
		proxy = &net.TCPAddr{IP: net.IPv4zero}
	}
	return Ends{Client: net.TCPAddrFromAddrPort(client), Proxy: proxy}
}

// TLV is something more that a header of version 2 says.
type TLV = wire.TLV

// Send begins a new connection to a backend with a header, in one write. version is 1, which
// cannot hold TLVs, or 2.
func Send(backend io.Writer, version int, e Ends, more ...TLV) error {
	if version != 1 && version != 2 || version == 1 && len(more) > 0 {
		return fmt.Errorf("a PROXY protocol header of version %d with %d TLVs cannot be", version, len(more))
	}
	h := wire.HeaderProxyFromAddrs(byte(version), e.Client, e.Proxy)
	if err := h.SetTLVs(more); err != nil {
		return fmt.Errorf("PROXY protocol header: %w", err)
	}
	if _, err := h.WriteTo(backend); err != nil {
		return fmt.Errorf("sending the PROXY protocol header: %w", err)
	}
	return nil
}

// Errors of headers.
var (
	errMissing = errors.New("no PROXY protocol header")
	errBad     = errors.New("bad PROXY protocol header")
)

// Bounds of headers. One of version 1 is never longer; those of version 2 could be of 64 KiB,
// but hardly ever have some hundred bytes.
const (
	longestV1 = 107
	longest   = 4 << 10
	headV2    = 16
)

var (
	signV1 = []byte("PROXY ")
	signV2 = []byte("\r\n\r\n\x00\r\nQUIT\n")
)

// frame returns how long the header is that b begins with; 0: more bytes are needed.
func frame(b []byte) (int, error) {
	begins := func(sign []byte) bool { n := min(len(b), len(sign)); return bytes.Equal(b[:n], sign[:n]) }
	switch {
	case begins(signV1):
		end := bytes.Index(b[:min(len(b), longestV1)], []byte("\r\n"))
		switch {
		case end >= 0:
			return end + len("\r\n"), nil
		case len(b) >= longestV1:
			return 0, fmt.Errorf("%w: its line does not end within %d bytes", errBad, longestV1)
		}
		return 0, nil
	case begins(signV2):
		if len(b) < headV2 {
			return 0, nil
		}
		n := headV2 + int(binary.BigEndian.Uint16(b[headV2-2:]))
		if n > longest {
			return 0, fmt.Errorf("%w: it says that it is %d bytes long, at most %d are read", errBad, n, longest)
		}
		if len(b) < n {
			return 0, nil
		}
		return n, nil
	}
	return 0, errMissing
}

// read returns what a whole header says of a connection whose own ends are own.
func read(header []byte, own Ends) (Ends, error) {
	r := bufio.NewReaderSize(bytes.NewReader(header), longest)
	h, err := wire.Read(r)
	if err != nil {
		return Ends{}, fmt.Errorf("%w: %w", errBad, err)
	}
	if r.Buffered() > 0 {
		return Ends{}, fmt.Errorf("%w: %d bytes of it have no meaning", errBad, r.Buffered())
	}
	if h.Version == 2 && !h.Command.IsLocal() && !sumHolds(header) {
		return Ends{}, fmt.Errorf("%w: its checksum is wrong", errBad)
	}
	if h.Command.IsLocal() || h.TransportProtocol == wire.UNSPEC || h.TransportProtocol.IsUnix() && h.TransportProtocol.IsStream() {
		return own, nil // the sender's own, such as a health check, or it does not know
	}
	client, proxy, ok := h.TCPAddrs()
	if !ok {
		return Ends{}, fmt.Errorf("%w: it is of no stream", errBad)
	}
	return Ends{Client: client, Proxy: proxy}, nil
}

// sumHolds checks the checksum of a header of version 2, if it has one.
func sumHolds(header []byte) bool {
	const typeSum = 3
	addresses := map[byte]int{1: 12, 2: 36, 3: 216}[header[13]>>4]
	at := headV2 + addresses
	for at+3 <= len(header) {
		n := int(binary.BigEndian.Uint16(header[at+1:]))
		if at+3+n > len(header) {
			return false
		}
		if header[at] == typeSum {
			return n == 4 && sum(header, at+3) == binary.BigEndian.Uint32(header[at+3:])
		}
		at += 3 + n
	}
	return true
}

// sum is the CRC32C of a header, with zeros where the sum itself is.
func sum(header []byte, at int) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	s := crc32.Update(0, table, header[:at])
	s = crc32.Update(s, table, make([]byte, 4))
	return crc32.Update(s, table, header[at+4:])
}
