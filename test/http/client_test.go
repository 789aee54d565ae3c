package http_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

// client is a connection to the server. What it reads is kept.
type client struct {
	*net.TCPConn
	read bytes.Buffer
	r    *bufio.Reader
	used int // of read: bytes of answers that were taken
	over chan struct{}
}

// dial connects, and sends bytes while others are read: those behind a pause when the
// server waits for them.
func (s *site) dial(sent []byte, closes bool, wait time.Duration) (*client, error) {
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		return nil, err
	}
	c := &client{TCPConn: conn.(*net.TCPConn), over: make(chan struct{})}
	c.r = bufio.NewReader(io.TeeReader(c.TCPConn, &c.read))
	_ = c.SetDeadline(time.Now().Add(wait))
	_ = c.SetLinger(0) // thousands of connections would wait for their last packets
	p := s.pieces.Load()
	go func() { // ends when the connection is closed
		if p != nil && p.pause > 0 {
			_, _ = c.Write(sent[:p.pause])
			sent = sent[p.pause:]
			select {
			case <-p.waits:
			case <-c.over:
			}
		}
		_, _ = c.Write(sent)
		if closes {
			_ = c.CloseWrite()
		}
	}()
	return c, nil
}

// Close frees whoever sends.
func (c *client) Close() error {
	close(c.over)
	return c.TCPConn.Close()
}

// maxInformational is how many informational answers are a flood.
const maxInformational = 200

var errFlood = errors.New("more informational answers than anybody wants")

// answer reads an answer, with http.ReadResponse and strictly. Without an error they agree.
func (c *client) answer(method string) (*message, *http.Response, error) {
	for range maxInformational {
		res, err := http.ReadResponse(c.r, &http.Request{Method: method})
		if err != nil {
			return nil, nil, err
		}
		if res.StatusCode < 200 && res.StatusCode != http.StatusSwitchingProtocols {
			c.used = c.read.Len() - c.r.Buffered()
			continue
		}
		body, err := io.ReadAll(res.Body)
		if err != nil && !(errors.Is(err, syscall.ECONNRESET) && res.ContentLength < 0 && res.Close) {
			return nil, res, err // a reset ends an answer that nothing else would end
		}
		upTo := c.read.Len() - c.r.Buffered()
		m, rest, err := strictAnswer(c.read.Bytes()[c.used:upTo], method)
		c.used = upTo
		switch {
		case err != nil:
			return nil, res, errors.Join(errUnclear, err)
		case len(rest) > 0 || !bytes.Equal(body, m.body):
			return nil, res, errUnclear
		}
		return m, res, nil
	}
	return nil, nil, errFlood
}

var errUnclear = errors.New("the client cannot read for sure what it was answered")

// ended waits for the connection's end, and says what came before it.
func (c *client) ended() error {
	b, err := io.ReadAll(c.r)
	var timeout net.Error
	switch {
	case len(b) > 0:
		return errors.New("behind the last answer there is: " + string(b[:min(len(b), 100)]))
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("the connection is not closed")
	}
	return nil // a reset will do
}
