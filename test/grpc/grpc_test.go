//go:build unix

// Package grpc_test has the gRPC project's own interop client and server talk through a
// controller and a proxy.
package grpc_test

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/testproc"
)

func TestMain(m *testing.M) { testproc.Main(m) }

const soon = 30 * time.Second

const interop = "google.golang.org/grpc/interop/"

// cases are those of the suite that apply, with the calls that each makes. The others need an
// account with a cloud (compute_engine_creds, service_account_creds, jwt_token_creds,
// per_rpc_creds, oauth2_auth_token, google_default_credentials,
// compute_engine_channel_credentials), several addresses of one service in the client
// (pick_first_unary), or load reports that are meant for a client, which a proxy takes off as
// they are its own (orca_per_rpc; orca_oob is a stream like others, but no client may ask a
// backend for reports that only a proxy should have).
var cases = []struct {
	name  string
	calls uint64
	early bool // the client may give the call up before it is granted anything
}{
	{"empty_unary", 1, false}, {"large_unary", 1, false}, {"client_streaming", 1, false}, {"server_streaming", 1, false}, {"ping_pong", 1, false},
	{"empty_stream", 1, false}, {"timeout_on_sleeping_server", 1, true}, {"cancel_after_begin", 1, true}, {"cancel_after_first_response", 1, false},
	{"status_code_and_message", 2, false}, {"special_status_message", 1, false}, {"custom_metadata", 2, false},
	{"unimplemented_method", 1, false}, {"unimplemented_service", 1, false},
	{"rpc_soak", 10, false}, {"channel_soak", 10, false},
}

// front is a proxy before a gRPC server, and how clients reach it.
type front struct {
	*testproc.Site
	plain, safe, cert string // addresses, and the file of the certificate
}

func start(t *testing.T, backend string, slots int) *front {
	t.Helper()
	f := &front{plain: testproc.FreeAddr(t), safe: testproc.FreeAddr(t)}
	var key string
	f.cert, key = testproc.Certificate(t)
	f.Site = testproc.StartSite(t, fmt.Sprintf(`
listeners:
  - {name: plain, address: %q, protocol: http}
  - {name: safe, address: %q, protocol: http, tls: {certificates: [{cert: %q, key: %q}]}}
routes: [{listener: plain, pool: grpc}, {listener: safe, pool: grpc}]
pools:
  - {name: grpc, slots: %d, http2: true, health: {type: tcp, interval: 100ms}, backends: [{address: %q}]}
`, f.plain, f.safe, f.cert, key, slots, backend))
	f.Serves(t, "grpc", 1)
	return f
}

// TestInterop: every case passes, in plain text and over TLS, and each call has one grant,
// which is given back.
func TestInterop(t *testing.T) {
	client, server := testproc.Tool(t, "grpc.mod", interop+"client"), testproc.Tool(t, "grpc.mod", interop+"server")
	backend := testproc.FreeAddr(t)
	_, port, _ := net.SplitHostPort(backend)
	p := testproc.Start(t, "interop server", exec.Command(server, "-port", port))
	testproc.AwaitTCP(t, soon, backend, p)
	f := start(t, backend, 8)
	var givenUp uint64 // calls that ended before they were granted anything
	for name, at := range map[string]string{"plain text": f.plain, "TLS": f.safe} {
		_, port, _ := net.SplitHostPort(at)
		args := []string{"-server_host", "127.0.0.1", "-server_port", port}
		if at == f.safe {
			args = append(args, "-use_tls", "-use_test_ca", "-ca_file", f.cert, "-server_host_override", "localhost")
		}
		for _, c := range cases {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				before := f.Quiet(t, "grpc")
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				out, err := exec.CommandContext(ctx, client, append(args, "-test_case", c.name)...).CombinedOutput()
				if err != nil {
					t.Errorf("the client says: %v\n%s", err, out)
				}
				least := c.calls
				if c.early {
					least = 0
				}
				got := f.Took(t, "grpc", before, least)
				if got != c.calls && (got != 0 || !c.early) {
					t.Errorf("%d grants for %d calls", got, c.calls)
				}
				givenUp += c.calls - min(got, c.calls)
			})
		}
	}
	awaitCounted(t, f.Site, givenUp)
}

// awaitCounted waits until the proxy has counted one request for each grant. Of calls that were
// given up it may have seen as many as there are, or fewer.
func awaitCounted(t *testing.T, site *testproc.Site, givenUp uint64) {
	t.Helper()
	grants := site.Quiet(t, "grpc")
	testproc.Await(t, soon, "each request to be counted", func(ctx context.Context) error {
		n, err := site.Metric(ctx, "fairlead_proxy_requests_total", `pool="grpc"`)
		if err != nil {
			return err
		}
		if requests := uint64(n); requests < grants || requests > grants+givenUp {
			return fmt.Errorf("%d requests, %d grants, %d calls given up", requests, grants, givenUp)
		}
		return nil
	}, site.Proxy)
}
