package accesslog

import (
	"crypto/tls"
	"net/netip"
	"strconv"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// addrPort returns the client as it is written: a name of an interface says nothing elsewhere.
func addrPort(e *Entry) netip.AddrPort {
	return netip.AddrPortFrom(e.Client.Addr().Unmap().WithZone(""), e.Client.Port())
}

// appendCombined appends an entry as one line of the combined format, with more at its end.
func appendCombined(b []byte, e *Entry, dropQuery bool) []byte {
	if e.Client.IsValid() {
		b = addrPort(e).Addr().AppendTo(b)
	} else {
		b = append(b, '-')
	}
	b = append(b, " - - ["...)
	b = e.Time.AppendFormat(b, "02/Jan/2006:15:04:05 -0700")
	b = append(b, `] "`...)
	if e.Method == "" {
		b = append(b, '-')
	} else {
		b = append(appendNginx(b, e.Method), ' ')
		b = append(appendNginx(b, shown(e.Target, dropQuery)), ' ')
		b = appendNginx(b, e.Protocol)
	}
	b = append(b, `" `...)
	status := max(e.Status, 0)
	b = append(b, digits[status/100%10], digits[status/10%10], digits[status%10], ' ')
	b = strconv.AppendInt(b, e.BytesOut, 10)
	b = quoted(append(b, ' '), shown(e.Referer, dropQuery))
	b = quoted(append(b, ' '), e.UserAgent)
	return append(combinedRest(b, e), '\n')
}

// combinedRest appends what other servers' logs do not have.
func combinedRest(b []byte, e *Entry) []byte {
	b = quoted(append(b, " listener="...), e.Listener)
	b = quoted(append(b, " host="...), e.Host)
	b = quoted(append(b, " pool="...), string(e.Pool))
	b = quoted(append(b, " backend="...), string(e.Backend))
	b = append(b, " grant="...)
	if e.Grant == (fleet.GrantID{}) {
		b = append(b, '-')
	} else {
		b = appendGrant(b, e.Grant)
	}
	b = append(append(b, ` end="`...), e.End.String()...)
	if e.Reason != "" {
		b = appendNginx(append(b, ':'), e.Reason)
	}
	b = appendSeconds(append(b, `" wait=`...), e.Wait)
	b = orDash(append(b, " connect="...), e.Connect)
	b = orDash(append(b, " first_byte="...), e.FirstByte)
	b = appendSeconds(append(b, " total="...), e.Total)
	b = strconv.AppendInt(append(b, " tries="...), int64(e.Tries), 10)
	b = strconv.AppendInt(append(b, " in="...), e.BytesIn, 10)
	version := ""
	if e.TLSVersion != 0 {
		version = tls.VersionName(e.TLSVersion)
	}
	b = quoted(append(b, " tls="...), version)
	b = quoted(append(b, " tls_name="...), e.TLSName)
	return strconv.AppendBool(append(b, " moved="...), e.Moved)
}

func orDash(b []byte, d time.Duration) []byte {
	if d <= 0 {
		return append(b, '-')
	}
	return appendSeconds(b, d)
}

// quoted appends a string in quotes, or a dash in them.
func quoted(b []byte, s string) []byte {
	b = append(b, '"')
	if s == "" {
		b = append(b, '-')
	}
	return append(appendNginx(b, s), '"')
}

// appendNginx escapes as nginx does: quotes, backslashes, controls, and all that is not ASCII.
func appendNginx(b []byte, s string) []byte {
	from := 0
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			b = appendHex(append(b, s[from:i]...), c)
			from = i + 1
		}
	}
	return append(b, s[from:]...)
}
