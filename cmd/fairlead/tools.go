package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/trust"
)

// toolTimeout is how long a tool waits for the controller.
const toolTimeout = 5 * time.Second

// tryTimeout is how long it waits for each of several, before it asks the next.
const tryTimeout = 2 * time.Second

func addControllerFlag(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String("controller", config.DefaultListen, "the controller's gRPC address, host:port; of several controllers all, with commas between")
	f.Bool("insecure", false, "speak plain text to a controller on another host, in a network that you trust")
	f.String("tls-cert", "", "this end's certificate, a PEM file, for mutual TLS with the controller")
	f.String("tls-key", "", "the certificate's key, a PEM file")
	f.String("tls-ca", "", "the CA that signed the controller's certificate, a PEM file")
}

// controllerAt is a controller, or several, and how to speak to them.
type controllerAt struct {
	addresses []string    // at least one
	insecure  bool        // plain text, wherever they are
	files     trust.Files // of mutual TLS; not set: plain text
}

// maxControllers is the most that a command line may name.
const maxControllers = 16

// controllerAddress returns the controllers, if they may be spoken to.
func controllerAddress(cmd *cobra.Command) (at controllerAt, err error) {
	f := cmd.Flags()
	list, _ := f.GetString("controller")
	at.insecure, _ = f.GetBool("insecure")
	at.files.Cert, _ = f.GetString("tls-cert")
	at.files.Key, _ = f.GetString("tls-key")
	at.files.CA, _ = f.GetString("tls-ca")
	if at.addresses, err = splitControllers(cmd, list); err != nil {
		return at, err
	}
	if at.files.Set() && at.insecure {
		return at, usage(cmd, "--insecure and certificates exclude each other; leave one of them out")
	}
	if at.files.Set() {
		for _, flag := range []string{"tls-cert", "tls-key", "tls-ca"} {
			if v, _ := f.GetString(flag); v == "" {
				return at, usage(cmd, "--tls-cert, --tls-key and --tls-ca go together, and --%s is missing; 'fairlead cert' makes the files", flag)
			}
		}
	}
	if far := at.remote(); len(far) > 0 && !at.files.Set() && !at.insecure {
		return at, usage(cmd, "--controller %q is on another host, and what is said would be neither encrypted nor checked; "+
			"give certificates with --tls-cert, --tls-key and --tls-ca ('fairlead cert' makes them), or, in a network that you trust, add --insecure", far[0])
	}
	return at, nil
}

// splitControllers reads what --controller says.
func splitControllers(cmd *cobra.Command, list string) ([]string, error) {
	all := strings.Split(list, ",")
	if len(all) > maxControllers {
		return nil, usage(cmd, "--controller names %d controllers; it takes at most %d", len(all), maxControllers)
	}
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
		if all[i] == "" && len(all) > 1 {
			return nil, usage(cmd, "--controller %q: one of its addresses is empty; give host:port,host:port without a comma too many", list)
		}
		if err := checkPeer(all[i]); err != nil {
			return nil, usage(cmd, "--controller %q: %v", all[i], err)
		}
		if slices.Contains(all[:i], all[i]) {
			return nil, usage(cmd, "--controller names %q twice; name each controller once", all[i])
		}
	}
	return all, nil
}

// remote returns the controllers on other hosts.
func (at controllerAt) remote() []string {
	return slices.DeleteFunc(slices.Clone(at.addresses), func(address string) bool {
		host, _, _ := net.SplitHostPort(address)
		return isLoopback(host)
	})
}

// String writes the controllers as --controller takes them.
func (at controllerAt) String() string { return strings.Join(at.addresses, ",") }

// warn says what is said in the open.
func (at controllerAt) warn(log *slog.Logger) {
	if !at.insecure {
		return
	}
	for _, address := range at.remote() {
		log.Warn("--insecure is set: what is said to the controller is neither encrypted nor checked", "controller", address)
	}
}

// credentials returns how this end shows who it is, and checks that the other is a
// controller.
func (at controllerAt) credentials(log *slog.Logger) (credentials.TransportCredentials, error) {
	if !at.files.Set() {
		at.warn(log)
		return insecure.NewCredentials(), nil
	}
	t, err := trust.Load(at.files, log)
	if err != nil {
		return nil, err
	}
	return t.Client(trust.Controller), nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// dial makes a connection to the controller that the flag names; to the first that answers, of
// several.
func dial(cmd *cobra.Command) (*grpc.ClientConn, string, error) {
	at, err := controllerAddress(cmd)
	if err != nil {
		return nil, "", err
	}
	log, err := logger(cmd)
	if err != nil {
		return nil, "", err
	}
	creds, err := at.credentials(log)
	if err != nil {
		return nil, "", err
	}
	if len(at.addresses) > 1 {
		return firstThatAnswers(cmd.Context(), at, creds)
	}
	conn, err := connect(at.addresses[0], creds)
	return conn, at.addresses[0], err
}

// firstThatAnswers tries controllers one after the other, each for a while.
func firstThatAnswers(ctx context.Context, at controllerAt, creds credentials.TransportCredentials) (*grpc.ClientConn, string, error) {
	for _, address := range at.addresses {
		conn, err := connect(address, creds)
		if err != nil {
			return nil, "", err
		}
		if answers(ctx, conn) {
			return conn, address, nil
		}
		if err := conn.Close(); err != nil {
			return nil, "", fmt.Errorf("controller %s: %w", address, err)
		}
		if ctx.Err() != nil {
			return nil, "", context.Cause(ctx)
		}
	}
	return nil, "", fmt.Errorf("no controller answers at any of %s; is one running, and are these their gRPC addresses?",
		strings.Join(at.addresses, ", "))
}

// answers tells whether a connection comes about, in tryTimeout and at the first try.
func answers(ctx context.Context, conn *grpc.ClientConn) bool {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	conn.Connect()
	for {
		switch s := conn.GetState(); s {
		case connectivity.Ready:
			return true
		case connectivity.TransientFailure, connectivity.Shutdown:
			return false
		default:
			if !conn.WaitForStateChange(ctx, s) {
				return false
			}
		}
	}
}

// connect makes a connection to a controller, which dials when it is used.
func connect(address string, creds credentials.TransportCredentials, more ...grpc.DialOption) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient("passthrough:///"+address, append(more,
		grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))...) // a snapshot of a large fleet
	if err != nil {
		return nil, fmt.Errorf("controller %s: %w", address, err)
	}
	return conn, nil
}

// ask runs one call of a tool against the controller, and words its error.
func ask(cmd *cobra.Command, f func(context.Context, fairleadv1.ToolsClient) error) error {
	return askFor(cmd, toolTimeout, f)
}

// askFor is ask with a time of its own.
func askFor(cmd *cobra.Command, within time.Duration, f func(context.Context, fairleadv1.ToolsClient) error) error {
	conn, address, err := dial(cmd)
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(cmd.Context(), within)
	defer cancel()
	return wordError(address, f(ctx, fairleadv1.NewToolsClient(conn)))
}

// wordError turns a status into a plain sentence.
func wordError(address string, err error) error {
	if err == nil {
		return nil
	}
	switch s := status.Convert(err); s.Code() {
	case codes.Unavailable, codes.DeadlineExceeded:
		return fmt.Errorf("no controller answers at %s (%s); is it running, and is --controller its gRPC address?",
			address, lastPart(s.Message()))
	case codes.Unimplemented:
		return fmt.Errorf("what answers at %s is no Fairlead controller of this version; --controller takes its gRPC address, not the admin one", address)
	default:
		return errors.New(s.Message())
	}
}

// lastPart returns the end of a chain of wrapped messages, which says the most.
func lastPart(s string) string {
	s = strings.Trim(s, `"`)
	if i := strings.LastIndex(s, ": "); i >= 0 {
		return s[i+2:]
	}
	return s
}

// table writes aligned columns.
func table(out io.Writer, head string, rows func(func(cells ...any))) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, strings.ReplaceAll(head, " ", "\t"))
	rows(func(cells ...any) {
		for i, c := range cells {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			if s, ok := c.(string); ok && s == "" {
				c = "-"
			}
			fmt.Fprint(w, c)
		}
		fmt.Fprintln(w)
	})
	return w.Flush()
}

func printJSON(out io.Writer, m proto.Message) error {
	b, err := protojson.MarshalOptions{Multiline: true, EmitUnpopulated: true}.Marshal(m)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", b)
	return err
}

// newSnapshotTool makes a command that prints a part of a snapshot, once or again and
// again.
func newSnapshotTool(name, short string, show func(io.Writer, *fairleadv1.Snapshot) error) *cobra.Command {
	var watch, asJSON bool
	cmd := &cobra.Command{
		Use: name, Short: short,
		RunE: func(cmd *cobra.Command, _ []string) error {
			print := show
			if asJSON {
				print = func(out io.Writer, s *fairleadv1.Snapshot) error { return printJSON(out, s) }
			}
			if watch {
				return watchSnapshots(cmd, print)
			}
			return ask(cmd, func(ctx context.Context, c fairleadv1.ToolsClient) error {
				s, err := c.GetSnapshot(ctx, &fairleadv1.GetSnapshotRequest{})
				if err != nil {
					return err
				}
				if err := complete(ctx, cmd, s); err != nil {
					return err
				}
				return print(cmd.OutOrStdout(), s)
			})
		},
	}
	addControllerFlag(cmd)
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "print again each second, until interrupted")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the whole snapshot as JSON")
	return cmd
}

func watchSnapshots(cmd *cobra.Command, print func(io.Writer, *fairleadv1.Snapshot) error) error {
	conn, address, err := dial(cmd)
	if err != nil {
		return err
	}
	defer conn.Close()
	st, err := fairleadv1.NewToolsClient(conn).Watch(cmd.Context(), &fairleadv1.WatchRequest{})
	if err != nil {
		return wordError(address, err)
	}
	for {
		s, err := st.Recv()
		if cmd.Context().Err() != nil {
			return nil
		}
		if err != nil {
			return wordError(address, err)
		}
		if err := print(cmd.OutOrStdout(), s); err != nil {
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout())
	}
}

func newBackends() *cobra.Command {
	return newSnapshotTool("backends", "Show the backends: slots, health, load", func(out io.Writer, s *fairleadv1.Snapshot) error {
		var all []standing
		for _, p := range s.GetPools() {
			for _, b := range p.GetBackends() {
				all = append(all, standing{b, p.GetName()})
			}
		}
		return printed(out, all, backendColumns())
	})
}

func newDrain() *cobra.Command {
	var pool string
	cmd := &cobra.Command{
		Use: "drain BACKEND", Short: "Stop new requests to a backend; those in flight run on",
		Args: exactly(1, "one backend, as host:port"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return ask(cmd, func(ctx context.Context, c fairleadv1.ToolsClient) error {
				r, err := c.Drain(ctx, &fairleadv1.DrainRequest{Pool: pool, Backend: args[0]})
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s drains; %d in flight\n", args[0], r.GetInFlight())
				if some := r.GetElsewhere(); len(some) > 0 {
					fmt.Fprintf(cmd.OutOrStdout(), "of what still runs in %s another controller knows, which leads there: see 'fairlead backends'\n", strings.Join(some, ", "))
				}
				return nil
			})
		},
	}
	addControllerFlag(cmd)
	cmd.Flags().StringVar(&pool, "pool", "", "in this pool only")
	return cmd
}

func newUndrain() *cobra.Command {
	var pool string
	cmd := &cobra.Command{
		Use: "undrain BACKEND", Short: "Let a drained backend have requests again",
		Args: exactly(1, "one backend, as host:port"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return ask(cmd, func(ctx context.Context, c fairleadv1.ToolsClient) error {
				_, err := c.Undrain(ctx, &fairleadv1.UndrainRequest{Pool: pool, Backend: args[0]})
				if err == nil {
					fmt.Fprintf(cmd.OutOrStdout(), "%s takes requests again\n", args[0])
				}
				return err
			})
		},
	}
	addControllerFlag(cmd)
	cmd.Flags().StringVar(&pool, "pool", "", "in this pool only")
	return cmd
}
