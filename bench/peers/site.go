//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// peer is one way to the backend.
type peer struct {
	name        string
	plain, safe string     // host:port of HTTP and of HTTPS; empty: it has none
	pid         func() int // of the process that carries; nil: there is none
}

// site is all that runs.
type site struct {
	dir      string
	peers    []peer
	procs    []*exec.Cmd
	versions string
}

// stop ends everything, last first.
func (s *site) stop() {
	for i := len(s.procs) - 1; i >= 0; i-- {
		p := s.procs[i]
		_ = p.Process.Signal(syscall.SIGTERM)
		ended := make(chan struct{})
		go func() { _ = p.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = p.Process.Kill()
			<-ended
		}
	}
}

// spawn starts a program on some cores.
func (s *site) spawn(cores string, env []string, args ...string) (*exec.Cmd, error) {
	cmd := exec.Command("taskset", append([]string{"-c", cores}, args...)...)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), env...)
	log, err := os.Create(filepath.Join(s.dir, fmt.Sprintf("log-%d", len(s.procs))))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s.procs = append(s.procs, cmd)
	return cmd, nil
}

func free() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// small is the small answer, in bytes.
const small = "a small answer of about a hundred bytes, which is what most proxies are measured with, and so are these"

func (s *site) start(ctx context.Context) error {
	if err := s.certificate(ctx); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "big"), make([]byte, 1<<20), 0o644); err != nil {
		return err
	}
	s.versions = version(ctx, "haproxy", "-v") + "; " + version(ctx, "nginx", "-v")
	backend, err := s.nginx("backend", backendCore, fmt.Sprintf(`server { listen %%PLAIN%% reuseport backlog=4096; listen %%SAFE%% ssl http2;
		location = / { return 200 "%s"; } location = /big { root %s; } }`, small, s.dir))
	if err != nil {
		return err
	}
	backend.pid = nil
	haproxy, err1 := s.haproxy(backend.plain)
	nginx, err2 := s.nginx("nginx", proxyCore, fmt.Sprintf(`upstream b { server %s; keepalive 256; keepalive_requests 100000000; }
		server { listen %%PLAIN%% reuseport backlog=4096; listen %%SAFE%% ssl http2; location / { proxy_pass http://b; proxy_http_version 1.1;
		proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $remote_addr; } }`, backend.plain))
	asks, err3 := s.fairlead(ctx, "Fairlead, an ask each", backend.plain, "slots: 512, permits: false")
	proxy, err4 := s.fairlead(ctx, "Fairlead, decide: proxy", backend.plain, "workers: 512, decide: proxy")
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			return err
		}
	}
	backend.name = "no proxy"
	s.peers = []peer{asks, proxy, haproxy, nginx, backend}
	for _, p := range s.peers {
		if err := answers(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func version(ctx context.Context, args ...string) string {
	out, _ := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput() // its words say what is wrong
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(strings.TrimSuffix(line, "- https://haproxy.org/"))
}

func (s *site) certificate(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
		filepath.Join(s.dir, "key.pem"), "-out", filepath.Join(s.dir, "cert.pem"), "-days", "2", "-subj", "/CN=localhost").CombinedOutput()
	if err != nil {
		return fmt.Errorf("making a certificate: %w: %s", err, out)
	}
	var both []byte
	for _, f := range []string{"cert.pem", "key.pem"} {
		b, err := os.ReadFile(filepath.Join(s.dir, f))
		if err != nil {
			return err
		}
		both = append(both, b...)
	}
	return os.WriteFile(filepath.Join(s.dir, "both.pem"), both, 0o600)
}

// answers waits until a peer serves.
func answers(ctx context.Context, p peer) error {
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.plain+"/", nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("it answers %s", res.Status)
		}
		if time.Now().After(until) || ctx.Err() != nil {
			return fmt.Errorf("%s does not serve: %w", p.name, err)
		}
	}
}

// nginx starts one with a worker; the server is told its addresses.
func (s *site) nginx(name, core, server string) (peer, error) {
	p := peer{name: name, plain: free(), safe: free()}
	server = strings.NewReplacer("%PLAIN%", p.plain, "%SAFE%", p.safe).Replace(server)
	temp := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp += fmt.Sprintf("%s_temp_path %s/%s-%s; ", kind, s.dir, name, kind)
	}
	conf := fmt.Sprintf(`worker_processes 1; daemon off; pid %[1]s/%[2]s.pid; error_log %[1]s/%[2]s.err;
		events { worker_connections 20000; multi_accept on; }
		http { access_log off; keepalive_requests 100000000; keepalive_timeout 3600; %[3]s
		ssl_certificate %[1]s/cert.pem; ssl_certificate_key %[1]s/key.pem; %[4]s }`, s.dir, name, temp, server)
	path := filepath.Join(s.dir, name+".conf")
	if err := os.WriteFile(path, []byte(conf), 0o644); err != nil {
		return p, err
	}
	if err := os.Chmod(s.dir, 0o755); err != nil { // the worker is another user
		return p, err
	}
	cmd, err := s.spawn(core, nil, "nginx", "-c", path)
	if err != nil {
		return p, err
	}
	p.pid = func() int { return childOf(cmd.Process.Pid) }
	return p, nil
}

// childOf returns nginx's worker.
func childOf(parent int) int {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", parent, parent))
	if f := strings.Fields(string(b)); len(f) > 0 {
		n, _ := strconv.Atoi(f[0])
		return n
	}
	return parent
}

func (s *site) haproxy(backend string) (peer, error) {
	p := peer{name: "HAProxy", plain: free(), safe: free()}
	conf := fmt.Sprintf(`global
  nbthread 1
  maxconn 9000
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  option forwardfor
frontend f
  bind %s
  bind %s ssl crt %s/both.pem alpn h2,http/1.1
  default_backend b
backend b
  http-reuse always
  server s %s
`, p.plain, p.safe, s.dir, backend)
	path := filepath.Join(s.dir, "haproxy.cfg")
	if err := os.WriteFile(path, []byte(conf), 0o644); err != nil {
		return p, err
	}
	cmd, err := s.spawn(proxyCore, nil, "haproxy", "-f", path)
	if err != nil {
		return p, err
	}
	p.pid = func() int { return cmd.Process.Pid }
	return p, nil
}

func (s *site) fairlead(ctx context.Context, name, backend, pool string) (peer, error) {
	p := peer{name: name, plain: free(), safe: free()}
	program := filepath.Join(s.dir, "fairlead")
	if _, err := os.Stat(program); err != nil {
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/fairlead/fairlead/cmd/fairlead").CombinedOutput(); err != nil {
			return p, fmt.Errorf("building fairlead: %w\n%s", err, out)
		}
	}
	controller, n := free(), len(s.procs)
	conf := fmt.Sprintf(`controller: {listen: %q, admin: %q, data: %q}
listeners:
  - {name: plain, address: %q, protocol: http}
  - {name: safe, address: %q, protocol: http, tls: {certificates: [{cert: %q, key: %q}]}}
routes: [{listener: plain, pool: p}, {listener: safe, pool: p}]
pools: [{name: p, %s, health: {type: none}, backends: [{address: %q}]}]
`, controller, free(), filepath.Join(s.dir, fmt.Sprint("data", n)), p.plain, p.safe, filepath.Join(s.dir, "cert.pem"), filepath.Join(s.dir, "key.pem"), pool, backend)
	path := filepath.Join(s.dir, fmt.Sprintf("fairlead-%d.yaml", n))
	if err := os.WriteFile(path, []byte(conf), 0o644); err != nil {
		return p, err
	}
	if _, err := s.spawn(controlCore, nil, program, "controller", "-c", path, "--log-level", "error"); err != nil {
		return p, err
	}
	cmd, err := s.spawn(proxyCore, []string{"GOMAXPROCS=1"}, program, "proxy", "--controller", controller, "--log-level", "error")
	if err != nil {
		return p, err
	}
	p.pid = func() int { return cmd.Process.Pid }
	return p, nil
}

// cpu returns how much processor time a process has had.
func cpu(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(f) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat is short", pid)
	}
	user, err1 := strconv.Atoi(string(f[11]))
	system, err2 := strconv.Atoi(string(f[12]))
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("/proc/%d/stat makes no sense", pid)
	}
	return time.Duration(user+system) * (time.Second / 100), nil
}
