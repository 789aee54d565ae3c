package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// names end up in metrics, on command lines and in the paths of the admin API, so they
// are kept to what needs no quoting in any of them.
var names = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// name reads a name of type T.
func name[T ~string](s string) (T, *complaint) {
	if !names.MatchString(s) {
		return "", &complaint{
			fmt.Sprintf("must be a name, got %s", quote(s)),
			"use 1 to 63 letters, digits, dots, dashes and underscores, and begin with a letter or digit"}
	}
	return T(s), nil
}

// directory reads the name of a directory.
func directory(s string) (string, *complaint) {
	if strings.TrimSpace(s) == "" {
		return "", &complaint{"must name a directory, got an empty text", "write a path such as " + DefaultData}
	}
	return s, nil
}

// hostPattern reads the host of a route: exact, "*.example.org" or "*".
func hostPattern(s string) (string, *complaint) {
	if s == "*" {
		return s, nil
	}
	if ip, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return ip.String(), nil
	}
	bare, below := strings.CutPrefix(s, "*.")
	host, ok := hostName(bare)
	switch {
	case ok && below:
		return "*." + host, nil
	case ok:
		return host, nil
	case strings.Contains(s, ":"):
		return "", &complaint{fmt.Sprintf("must be a host without a port, got %s", quote(s)),
			"remove the port; a route holds for every port"}
	case strings.Contains(bare, "*"):
		return "", &complaint{fmt.Sprintf("a star must stand alone or before the first dot, got %s", quote(s)),
			`write "*", "*.example.org" or an exact host`}
	case strings.Trim(s, ascii) != "":
		return "", &complaint{fmt.Sprintf("must be a host name in ASCII, got %s", quote(s)),
			"write its form that begins with xn--"}
	}
	return "", &complaint{fmt.Sprintf("must be a host name, got %s", quote(s)),
		`write "*", "*.example.org" or an exact host`}
}

// ascii is what can be seen of ASCII.
const ascii = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"

// maxPath bounds a path, in bytes.
const maxPath = 1024

// routePath reads the path of a route. It returns it without a slash at the end, which
// makes no difference to what it holds.
func routePath(s string) (string, *complaint) {
	if strings.HasSuffix(s, "/*") {
		return "", &complaint{fmt.Sprintf("must be a path without a star, got %s", quote(s)),
			"remove the star; a path holds whatever is below it too"}
	}
	if strings.ContainsAny(s, "?#") {
		return "", &complaint{fmt.Sprintf("must be a path alone, got %s", quote(s)),
			"remove what follows the path; a route cannot look at it"}
	}
	s, bad := visiblePath(s)
	if bad != nil {
		return "", bad
	}
	if s = strings.TrimSuffix(s, "/"); s == "" {
		return "/", nil
	}
	for _, segment := range strings.Split(s[1:], "/") {
		if segment == "" || segment == "." || segment == ".." {
			return "", &complaint{fmt.Sprintf("the path %s has the segment %q, which no request gets to", quote(s), segment),
				"write the path without it"}
		}
	}
	return s, nil
}

// checkedPath reads the path of a health check, which may have a query.
func checkedPath(s string) (string, *complaint) { return visiblePath(s) }

func visiblePath(s string) (string, *complaint) {
	if !strings.HasPrefix(s, "/") || len(s) > maxPath || strings.Trim(s, ascii) != "" {
		return "", &complaint{fmt.Sprintf("must be a path, got %s", quote(s)),
			fmt.Sprintf("begin with /, and use up to %d visible ASCII characters, others as %%20", maxPath)}
	}
	return s, nil
}

// hostHeader reads the Host header of a health check: a host, and perhaps a port.
func hostHeader(s string) (string, *complaint) {
	if _, ok := hostName(s); ok {
		return s, nil
	}
	if _, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return s, nil
	}
	if a, bad := listenAddress(s); bad == nil && a.host != "" {
		return s, nil
	}
	return "", &complaint{fmt.Sprintf("must be a host, got %s", quote(s)), "write a host name, and a port if the check needs one"}
}
