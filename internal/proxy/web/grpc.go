package web

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
)

// GRPC returns a refusal as gRPC has it: a status, and a message that is encoded as its field
// is. Clients would make something of an HTTP status too, but could not tell whether a retry
// makes sense.
func (r *Refusal) GRPC() (status, message string) {
	code := codes.Unavailable
	switch r.Status {
	case http.StatusTooManyRequests:
		code = codes.ResourceExhausted
	case http.StatusGatewayTimeout:
		code = codes.DeadlineExceeded
	case http.StatusNotFound:
		code = codes.Unimplemented
	case http.StatusBadRequest:
		code = codes.Internal
	}
	return strconv.Itoa(int(code)), grpcMessage(r.Text)
}

func grpcMessage(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
