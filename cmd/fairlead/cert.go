package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/fairlead/fairlead/internal/trust"
)

// Lives of what is issued, unless the command line says otherwise.
const (
	lifeOfCA   = 10 * 365 * 24 * time.Hour
	lifeOfLeaf = 365 * 24 * time.Hour
)

func newCert() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cert",
		Short: "Make and show the certificates with which the parts of a fleet know each other",
		Long: `Makes the certificates with which the parts of a fleet know each other. A certificate
names a role and a name; all are signed by the fleet's own CA. Keep ca.key off the hosts
that serve: whoever has it can issue a certificate for anyone.`,
		Example: `  fairlead cert ca --dir certs
  fairlead cert issue --dir certs controller c1 --host lb.example.org
  fairlead cert issue --dir certs proxy p1
  fairlead cert issue --dir certs agent 'render/*'
  fairlead cert show certs/*.crt`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCertCA(), newCertIssue(), newCertShow())
	return cmd
}

func newCertCA() *cobra.Command {
	var dir, name string
	var life time.Duration
	cmd := &cobra.Command{
		Use: "ca --dir DIR", Short: "Make a CA: DIR/ca.crt and DIR/ca.key",
		Long: `Makes a CA, and writes its certificate to DIR/ca.crt and its private key to DIR/ca.key.
It never overwrites a CA. To replace one, make the new CA in another directory, have every
part trust both (a CA file may hold several certificates, one after the other), issue every
certificate from the new one, and then remove the old one from the CA files.`,
		Example: "  fairlead cert ca --dir certs",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkIssue(cmd, dir, life); err != nil {
				return err
			}
			return makeCA(cmd, dir, name, life)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "the directory to write to, which is made if need be")
	cmd.Flags().StringVar(&name, "name", "Fairlead CA", "what the CA is called; up to 64 bytes")
	cmd.Flags().DurationVar(&life, "life", lifeOfCA, "how long it is valid")
	return cmd
}

// checkIssue checks the flags that everything issued needs.
func checkIssue(cmd *cobra.Command, dir string, life time.Duration) error {
	if dir == "" {
		return usage(cmd, "no directory; name the one of the CA with --dir DIR")
	}
	if life <= 0 {
		return usage(cmd, "--life %s: it is above 0", life)
	}
	return nil
}

func makeCA(cmd *cobra.Command, dir, name string, life time.Duration) error {
	crt, key := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key")
	for _, file := range []string{crt, key} {
		if _, err := os.Lstat(file); err == nil {
			return fmt.Errorf("%s exists, and a CA is never overwritten; name another directory with --dir", file)
		}
	}
	cert, secret, err := trust.NewCA(name, life)
	if err != nil {
		return fmt.Errorf("no CA was made: %w", err)
	}
	if err := writePair(crt, cert, key, secret); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "wrote %s, which every part of the fleet needs, and %s, which no other may get\n"+
		"valid until %s\nnext: fairlead cert issue --dir %s controller NAME\n", crt, key, expiry(cert), shellWord(dir))
	return nil
}

// certIssue is the command line of cert issue.
type certIssue struct {
	dir, out string
	id       trust.Identity
	hosts    []string
	life     time.Duration
	force    bool
}

func newCertIssue() *cobra.Command {
	var c certIssue
	cmd := &cobra.Command{
		Use: "issue --dir DIR ROLE NAME", Short: "Issue a certificate for a part of the fleet",
		Long: `Issues a certificate from the CA in DIR, and writes it and its private key to
DIR/ROLE-NAME.crt and .key. ROLE is controller, proxy, agent, operator or client. The NAME
of a proxy is what it is started with; that of an agent is POOL/HOST:PORT for one backend,
or POOL/* for all of a pool; others may have any. --host is for browsers only: the parts of
a fleet check roles and names, and not under which host name they reached each other.`,
		Example: `  fairlead cert issue --dir certs controller c1 --host lb.example.org --host 10.0.0.1
  fairlead cert issue --dir certs agent render/10.0.0.5:8080
  fairlead cert issue --dir certs operator alice --life 24h --out ~/alice`,
		Args: exactly(2, "a role and a name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.id = trust.Identity{Role: trust.Role(args[0]), Name: args[1]}
			if err := checkIssue(cmd, c.dir, c.life); err != nil {
				return err
			}
			if err := c.id.Check(); err != nil {
				return usage(cmd, "%w", err)
			}
			return c.run(cmd)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.dir, "dir", "", "the directory of the CA, and of what is issued")
	f.StringSliceVar(&c.hosts, "host", nil, "a DNS name or IP address by which browsers reach it; may be given again")
	f.DurationVar(&c.life, "life", lifeOfLeaf, "how long it is valid; never longer than the CA")
	f.StringVar(&c.out, "out", "", "write to OUT.crt and OUT.key instead")
	f.BoolVar(&c.force, "force", false, "overwrite a certificate of the same identity, such as one that ends soon")
	return cmd
}

func (c certIssue) run(cmd *cobra.Command) error {
	ca := filepath.Join(c.dir, "ca.crt")
	prefix := c.out
	if prefix == "" {
		prefix = filepath.Join(c.dir, fileName(c.id))
	}
	crt, key := prefix+".crt", prefix+".key"
	if err := c.mayWrite(crt, key); err != nil {
		return err
	}
	caCert, err := readForCert(ca)
	if err != nil {
		return err
	}
	caKey, err := readForCert(filepath.Join(c.dir, "ca.key"))
	if err != nil {
		return err
	}
	cert, secret, err := trust.Issue(caCert, caKey, c.id, c.hosts, c.life)
	if err != nil {
		return fmt.Errorf("no certificate was issued from %s: %w", ca, err)
	}
	if err := writePair(crt, cert, key, secret); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "wrote %s and %s, for %s\nvalid until %s\nuse: %s\n",
		crt, key, c.id, expiry(cert), howToUse(c.id.Role, crt, key, ca))
	return nil
}

// howToUse says where the files go: a controller's into its config, others' on the command
// line.
func howToUse(role trust.Role, crt, key, ca string) string {
	if role == trust.Controller {
		return fmt.Sprintf("in the config: controller: {tls: {cert: %q, key: %q, ca: %q}}", crt, key, ca)
	}
	return fmt.Sprintf("--tls-cert %s --tls-key %s --tls-ca %s", shellWord(crt), shellWord(key), shellWord(ca))
}

// mayWrite returns an error if a file is in the way. Two identities may come to the same
// file name, so even --force overwrites only one of the same identity.
func (c certIssue) mayWrite(crt, key string) error {
	for _, file := range []string{crt, key} {
		if _, err := os.Lstat(file); err == nil && !c.force {
			return fmt.Errorf("%s exists; add --force to overwrite it, or name another file with --out", file)
		}
	}
	if _, err := os.Lstat(crt); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(key); err == nil {
			return fmt.Errorf("%s exists without its certificate, and is not overwritten; remove it, or name another file with --out", key)
		}
		return nil
	}
	certs, err := readCertificates(crt)
	if err != nil {
		return fmt.Errorf("%w; it is not overwritten: name another file with --out", err)
	}
	if id, err := trust.IdentityOf(certs[0]); err != nil || id != c.id {
		return fmt.Errorf("%s is not a certificate of %s, and is not overwritten; name another file with --out", crt, c.id)
	}
	return nil
}

// fileName returns what every file system takes, for what comes of an identity.
func fileName(id trust.Identity) string {
	name := strings.ReplaceAll(id.Name, "*", "all")
	return string(id.Role) + "-" + strings.Map(func(r rune) rune {
		if strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", r) {
			return r
		}
		return '-'
	}, name)
}

// shellWord quotes what a shell would not take as it is.
func shellWord(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-+@%:,", r)
	}) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// expiry returns when the first certificate of a text ends.
func expiry(text []byte) string {
	if block, _ := pem.Decode(text); block != nil {
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			return c.NotAfter.UTC().Format(time.RFC3339)
		}
	}
	return "an unknown time"
}

func newCertShow() *cobra.Command {
	return &cobra.Command{
		Use: "show FILE...", Short: "Show whom certificates name, who signed them, and when they end",
		Long: `Shows each certificate of each file: whom it names, the host names that browsers may use
for it, who signed it, and when it ends. It does not check the signatures.`,
		Example: "  fairlead cert show certs/*.crt",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(cmd, "takes the files to show, got none")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var rows [][]any
			for _, file := range args {
				certs, err := readCertificates(file)
				if err != nil {
					return err
				}
				for _, c := range certs {
					rows = append(rows, certRow(file, c, time.Now()))
				}
			}
			return table(cmd.OutOrStdout(), "FILE IDENTITY HOSTS ISSUER EXPIRES", func(row func(...any)) {
				for _, r := range rows {
					row(r...)
				}
			})
		},
	}
}

func certRow(file string, c *x509.Certificate, now time.Time) []any {
	who := "none"
	if c.IsCA {
		who = "CA " + printable(c.Subject.CommonName)
	} else if id, err := trust.IdentityOf(c); err == nil {
		who = id.String()
	}
	var hosts []string
	for _, name := range c.DNSNames {
		hosts = append(hosts, printable(name))
	}
	for _, ip := range c.IPAddresses {
		hosts = append(hosts, ip.String())
	}
	ends := c.NotAfter.UTC().Format(time.RFC3339)
	switch {
	case now.After(c.NotAfter):
		ends += " (expired)"
	case now.Before(c.NotBefore):
		ends += " (not valid yet)"
	}
	return []any{file, who, strings.Join(hosts, ","), printable(c.Issuer.CommonName), ends}
}

// printable quotes what a terminal could take for more than text.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// readCertificates returns the certificates of a file, of which there is at least one.
func readCertificates(file string) ([]*x509.Certificate, error) {
	text, err := readForCert(file)
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: certificate %d in it cannot be read: %w", file, len(all)+1, err)
		}
		all = append(all, c)
	}
	if all == nil {
		return nil, fmt.Errorf("%s: there is no certificate in PEM in it; name a .crt file", file)
	}
	return all, nil
}

func readForCert(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(filepath.Base(file), "ca."):
		return nil, fmt.Errorf("%s does not exist; make a CA with 'fairlead cert ca --dir %s'", file, shellWord(filepath.Dir(file)))
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s does not exist; check the path", file)
	case err != nil:
		return nil, fmt.Errorf("%s cannot be read: %w", file, plainCause(err))
	}
	return text, nil
}

// writePair writes a certificate and its key, each whole or not at all. The directory is
// made if need be.
func writePair(crt string, cert []byte, key string, secret []byte) error {
	dir := filepath.Dir(crt)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the directory %s cannot be made: %w", dir, plainCause(err))
	}
	for _, file := range []struct {
		path string
		text []byte
		mode fs.FileMode
	}{{key, secret, 0o600}, {crt, cert, 0o644}} {
		if err := writeWhole(file.path, file.text, file.mode); err != nil {
			return fmt.Errorf("%s cannot be written: %w", file.path, plainCause(err))
		}
	}
	return nil
}

// writeWhole writes a file under another name, and gives it its own when it is on disk.
func writeWhole(path string, text []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // nobody else may read it
	if err != nil {
		return err
	}
	_, err = f.ReadFrom(bytes.NewReader(text))
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// plainCause returns what a file's error says, without what was called on which path.
func plainCause(err error) error {
	var at *fs.PathError
	var two *os.LinkError
	switch {
	case errors.As(err, &at):
		return at.Err
	case errors.As(err, &two):
		return two.Err
	}
	return err
}
