package http1

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// grantOnly grants and forgets.
type grantOnly fleet.BackendName

func (f grantOnly) Ask(_ context.Context, r link.Request) (*link.Grant, error) {
	return link.NewGrant(fleet.GrantID{}, r.Pool, fleet.BackendName(f), func(*link.Grant, link.Result) {}), nil
}

// BenchmarkPassThrough is dominated by the proxy: client and backend do little more
// than read and write.
func BenchmarkPassThrough(b *testing.B) {
	cheap := rawBackend(b, func(c net.Conn, r *bufio.Reader) {
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello")
		}
	})
	for name, request := range map[string]string{
		"GET":  "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
	} {
		b.Run(name, func(b *testing.B) {
			s := serve(b, grantOnly(cheap), long)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				c, err := net.Dial("tcp", s.addr)
				if err != nil {
					b.Error(err)
					return
				}
				defer c.Close()
				r := bufio.NewReader(c)
				for pb.Next() {
					_, _ = io.WriteString(c, request)
					res, err := http.ReadResponse(r, nil)
					if err != nil || res.StatusCode != http.StatusOK {
						b.Error(fmt.Errorf("%v, %w", res, err))
						return
					}
					_, _ = io.Copy(io.Discard, res.Body)
				}
			})
		})
	}
}
