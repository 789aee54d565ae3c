//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"debug/buildinfo"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/template"
	"time"
)

// peer is one way to the backend.
type peer struct {
	name string
	at   map[string]string // host:port of each kind of traffic that it can carry
	pid  func() int        // of the process that carries; nil: there is none
	log  string            // a file with what it says
}

// site is all that runs.
type site struct {
	dir      string
	peers    []peer
	procs    []*exec.Cmd
	versions string
	broken   int // turns that could not be played
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

// lastPort is the last that free gave out. They are below those that the system gives to
// connections, of which there are many here.
var lastPort = 20000

// free returns an address that nobody listens on, each time another.
func free() string {
	for lastPort < 32000 {
		lastPort++
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", lastPort)); err == nil {
			_ = l.Close()
			return l.Addr().String()
		}
	}
	panic("no port between 20000 and 32000 is free")
}

// small is the small answer, in bytes.
const small = "a small answer of about a hundred bytes, which is what most proxies are measured with, and so are these"

func (s *site) start(ctx context.Context) error {
	if err := s.certificate(ctx); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "big"), make([]byte, megabyte), 0o644); err != nil {
		return err
	}
	if err := os.Chmod(s.dir, 0o755); err != nil { // nginx's worker is another user
		return err
	}
	if err := s.build(ctx); err != nil {
		return err
	}
	s.versions = strings.Join([]string{version(ctx, "haproxy", "-v"), version(ctx, "nginx", "-v"), caddyVersion(filepath.Join(s.dir, "caddy"))}, "; ")
	direct, err := s.backends()
	if err != nil {
		return err
	}
	for _, m := range makes {
		p, err := s.run(m, direct.at)
		if err != nil {
			return fmt.Errorf("starting %s: %w", m.name, err)
		}
		s.peers = append(s.peers, p)
	}
	s.peers = append(s.peers, direct)
	for _, p := range s.peers {
		if err := answers(ctx, p); err != nil {
			said, _ := os.ReadFile(p.log) // the other error is told
			return fmt.Errorf("%w\nIt says: %s", err, said)
		}
	}
	return nil
}

// build builds what is written in Go.
func (s *site) build(ctx context.Context) error {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("finding the module, in which this has to run: %w", err)
	}
	for _, args := range [][]string{
		{"-o", filepath.Join(s.dir, "fairlead"), "github.com/fairlead/fairlead/cmd/fairlead"},
		{"-modfile=tools/caddy.mod", "-o", filepath.Join(s.dir, "caddy"), "github.com/caddyserver/caddy/v2/cmd/caddy"},
	} {
		cmd := exec.CommandContext(ctx, "go", append([]string{"build"}, args...)...)
		cmd.Dir = strings.TrimSpace(string(root))
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", args[len(args)-1], err, out)
		}
	}
	return nil
}

// backends starts them, as the peer that no proxy is.
func (s *site) backends() (peer, error) {
	p, err := s.run(backendMake, nil)
	if err != nil {
		return p, fmt.Errorf("starting the backend: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return p, err
	}
	args := []string{self, "backend"}
	for _, kind := range slices.Sorted(maps.Keys(servers)) {
		p.at[kind] = free()
		args = append(args, kind+"="+p.at[kind])
	}
	_, err = s.spawn(backendCore, nil, args...)
	p.pid = nil
	return p, err
}

// run starts a peer, before backends that are told by kind.
func (s *site) run(m maker, to map[string]string) (peer, error) {
	p := peer{name: m.name, at: map[string]string{}}
	for _, kind := range m.kinds {
		p.at[kind] = free()
	}
	dir := filepath.Join(s.dir, fmt.Sprint("peer-", len(s.procs)))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return p, err
	}
	in := inputs{Dir: dir, Site: s.dir, At: p.at, To: to, Pool: m.pool, Small: small, Stream: streamModule()}
	if in.Stream == "" && m.nginx {
		delete(p.at, "tcp")
		delete(p.at, "bulk")
	}
	for range 2 {
		in.Free = append(in.Free, free())
	}
	var conf bytes.Buffer
	if err := template.Must(template.New(m.name).Funcs(functions).Parse(m.conf)).Execute(&conf, in); err != nil {
		return p, err
	}
	if err := os.WriteFile(filepath.Join(dir, "conf"), conf.Bytes(), 0o644); err != nil {
		return p, err
	}
	var last *exec.Cmd
	for _, c := range m.commands {
		args := strings.Fields(strings.NewReplacer("DIR", dir, "SITE", s.dir, "FREE", in.Free[0]).Replace(c.args))
		cmd, err := s.spawn(c.core, []string{"GOMAXPROCS=1", "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}, args...)
		if err != nil {
			return p, err
		}
		last = cmd
	}
	p.pid, p.log = func() int { return last.Process.Pid }, last.Stderr.(*os.File).Name()
	if m.nginx {
		p.pid = func() int { return childOf(last.Process.Pid) }
	}
	return p, nil
}

func version(ctx context.Context, args ...string) string {
	out, _ := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput() // its words say what is wrong
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(strings.TrimSuffix(line, "- https://haproxy.org/"))
}

// caddyVersion reads what was built, as "caddy version" does not know it here.
func caddyVersion(program string) string {
	info, err := buildinfo.ReadFile(program)
	if err == nil && info.Main.Path == "github.com/caddyserver/caddy/v2" {
		return "Caddy " + info.Main.Version
	}
	return "Caddy of an unknown version"
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

// answers waits until a peer serves, whatever it can carry.
func answers(ctx context.Context, p peer) error {
	until := time.Now().Add(20 * time.Second)
	for _, kind := range slices.Sorted(maps.Keys(p.at)) {
		for {
			err := try(ctx, kind, p.at[kind])
			if err == nil {
				break
			}
			if time.Now().After(until) || ctx.Err() != nil {
				return fmt.Errorf("%s does not serve %s: %w", p.name, kind, err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	return nil
}

func try(ctx context.Context, kind, address string) error {
	if servers[kind] != nil {
		s, err := work(ctx, job{kind: kind, to: address, each: time.Second, connections: 1, ops: 1})
		if err == nil && s.Failed > 0 {
			err = errors.New(s.Why)
		}
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, Timeout: patience}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url(kind, address)+"/", nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", res.Status)
	}
	return nil
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
