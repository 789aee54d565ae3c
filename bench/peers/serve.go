//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// servers are the backends that nginx cannot be, by kind.
var servers = map[string]func(net.Conn) error{
	"grpc": answerGRPC,
	"ws":   answerWebSocket,
	"tcp":  func(c net.Conn) error { return answerTCP(c, nil) },
	"bulk": func(c net.Conn) error { return answerTCP(c, make([]byte, megabyte)) },
}

// serve runs backends until ctx ends; each is told as KIND=ADDRESS.
func serve(ctx context.Context, backends []string) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, b := range backends {
		kind, address, _ := strings.Cut(b, "=")
		answer := servers[kind]
		if answer == nil {
			return fmt.Errorf("no backend is called %q", kind)
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		wg.Add(1)
		go func() { defer wg.Done(); accept(ctx, l, answer) }()
	}
	<-ctx.Done()
	return nil
}

func accept(ctx context.Context, l net.Listener, answer func(net.Conn) error) {
	var wg sync.WaitGroup
	defer wg.Wait()
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer c.Close()
			defer context.AfterFunc(ctx, func() { _ = c.Close() })()
			_ = answer(c) // the load generator sees what went wrong, and counts it
		}()
	}
}

// answerTCP answers each message; with the message itself if there is no answer.
func answerTCP(c net.Conn, answer []byte) error {
	buf := make([]byte, len(message))
	for {
		if _, err := io.ReadFull(c, buf); err != nil {
			return err
		}
		out := answer
		if out == nil {
			out = buf
		}
		if _, err := c.Write(out); err != nil {
			return err
		}
	}
}

func answerWebSocket(c net.Conn) error {
	r := bufio.NewReader(c)
	req, err := http.ReadRequest(r)
	if err != nil {
		return err
	}
	if req.Header.Get("Sec-WebSocket-Key") != wsKey {
		_, err := io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		return err
	}
	_, err = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "+wsAccept+"\r\n\r\n")
	for err == nil {
		err = echoFrame(r, c)
	}
	return err
}

// echoFrame sends a client's short text frame back.
func echoFrame(r io.Reader, w io.Writer) error {
	var head [6]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	size := int(head[1] &^ 0x80)
	if head[0] != 0x81 || head[1] < 0x80 || size > 125 {
		return errors.New("only short, masked text frames are answered")
	}
	var buf [127]byte
	buf[0], buf[1] = 0x81, byte(size)
	text := buf[2 : 2+size]
	if _, err := io.ReadFull(r, text); err != nil {
		return err
	}
	for i := range text {
		text[i] ^= head[2+i%4]
	}
	_, err := w.Write(buf[:2+size])
	return err
}
