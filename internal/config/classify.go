package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Limits. docs/config.md tells them to users.
const (
	maxFlow       = 255 // bytes of a flow's name
	maxField      = 128 // bytes of the name of a header or cookie
	maxClaim      = 255 // bytes of the name of a claim
	maxRouteNeeds = 8   // labels that one route requires
	maxLabelsFrom = 8   // labels that headers require; with those of a route not beyond fleet.MaxLabels
)

// classifyDraft is how a pool tells what its requests are.
type classifyDraft struct {
	classes     [fleet.Classes]classDraft
	classHeader value[string]
	flow        keyDraft
	weights     value[[]entry[float64]]
	affinity    keyDraft
	labelsFrom  value[[]entry[string]]
	deadline    value[time.Duration]
}

type classDraft struct {
	limit   value[int]
	timeout value[time.Duration]
}

// keyDraft says where in a request a key is.
type keyDraft struct {
	section value[struct{}]
	by      value[KeyKind]
	name    value[string]
}

func (k *keyDraft) key() Key { return Key{k.by.got, k.name.got} }

// classify returns the keys of a pool that fill c.
func (d *decoder) classify(c *classifyDraft) keys {
	classes := keys{}
	for class := fleet.Critical; class < fleet.Classes; class++ {
		classes[class.String()] = d.inner(keys{
			"limit": scalar(d, &c.classes[class].limit, whole(1, maxQueue, "say how many requests of the class may wait for a slot")),
			"timeout": scalar(d, &c.classes[class].timeout, duration(span{
				least: time.Millisecond, most: time.Hour, purpose: "say how long a request of the class may wait for a slot"})),
		})
	}
	return keys{
		"classes":      d.inner(classes),
		"class_header": scalar(d, &c.classHeader, text(fieldName)),
		"flow": d.key(&c.flow, []KeyKind{ByClient, ByHeader, ByCookie, ByClaim, ByTLSName}, keys{
			"weights": mapping(d, &c.weights, flowName, number(0.01, 1000, "write 2 for a flow that gets twice as much as one that is not listed")),
		}),
		"affinity":    d.key(&c.affinity, []KeyKind{ByCookie, ByHeader, ByClient}, nil),
		"labels_from": mapping(d, &c.labelsFrom, labelName, text(fieldName)),
		"deadline": scalar(d, &c.deadline, duration(span{
			least: time.Millisecond, most: 24 * time.Hour, zero: true,
			purpose: "say how long the client of a request waits that does not say itself, or 0 for any time"})),
	}
}

// key returns a reader of a section that says where a key is.
func (d *decoder) key(k *keyDraft, kinds []KeyKind, more keys) reader {
	known := keys{
		"by":   scalar(d, &k.by, oneOf("by", kinds)),
		"name": scalar(d, &k.name, text(keyText)),
	}
	for name, read := range more {
		known[name] = read
	}
	return d.noted(&k.section, known)
}

// noted returns a reader of a section within another that keeps whether it was there.
func (d *decoder) noted(v *value[struct{}], known keys) reader {
	return func(n ast.Node, at where) {
		v.at, v.given = at, true
		v.broken = n == nil || !d.section(n, at, known)
	}
}

// class reads a request's class.
func class(n ast.Node) (fleet.Class, *complaint) {
	var words []string
	for c := fleet.Critical; c < fleet.Classes; c++ {
		words = append(words, c.String())
	}
	word, bad := oneOf("class", words)(n)
	got, _ := fleet.ClassOf(word)
	return got, bad
}

// fieldName reads the name of an HTTP field.
func fieldName(s string) (string, *complaint) {
	if !isToken(s) || len(s) > maxField {
		return "", &complaint{fmt.Sprintf("must be the name of an HTTP header, got %s", quote(s)), "write one such as X-Tenant, without a colon"}
	}
	return s, nil
}

// isToken tells whether s can name a header or a cookie (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~") == ""
}

// keyText reads what names a header, a cookie or a claim.
func keyText(s string) (string, *complaint) {
	if s == "" || len(s) > maxClaim || strings.Trim(s, ascii) != "" {
		return "", &complaint{fmt.Sprintf("must name a header, a cookie or a claim, got %s", quote(s)),
			fmt.Sprintf("use 1 to %d visible ASCII characters", maxClaim)}
	}
	return s, nil
}

// flowName reads a flow's name, which is whatever requests say.
func flowName(s string) (string, *complaint) {
	if s == "" || len(s) > maxFlow {
		return "", &complaint{fmt.Sprintf("a flow's name has 1 to %d bytes, got %d", maxFlow, len(s)), "write it as requests have it"}
	}
	return s, nil
}

func labelName(s string) (string, *complaint) {
	if fleet.CheckLabelName(s) != nil {
		return "", &complaint{fmt.Sprintf("must be the name of a label, got %s", quote(s)),
			"use 1 to 63 letters, digits, dots, dashes and underscores, and begin with a letter or digit"}
	}
	return s, nil
}

func labelValue(s string) (string, *complaint) {
	if fleet.CheckLabelValue(s) != nil {
		return "", &complaint{fmt.Sprintf("must be the value of a label, got %s", quote(s)), "use 1 to 191 visible ASCII characters"}
	}
	return s, nil
}

// labels returns labels as backends and requests have them.
func labels(v value[[]entry[string]]) []string {
	values := map[string]string{}
	for _, e := range v.got {
		values[e.name] = e.value.got
	}
	return fleet.Labels(values)
}

// fill completes the pool of a good draft.
func (c *classifyDraft) fill(p *Pool) {
	for class := range c.classes {
		p.Classes[class] = fleet.ClassSpec{Limit: c.classes[class].limit.or(0), Timeout: c.classes[class].timeout.or(0)}
	}
	p.ClassHeader, p.Deadline = c.classHeader.or(""), c.deadline.or(0)
	p.Flow, p.Affinity = c.flow.key(), c.affinity.key()
	p.FlowWeights = filled(c.weights)
	p.LabelsFrom = filled(c.labelsFrom)
}

// filled returns a mapping of a good draft; nil: it is empty.
func filled[T any](v value[[]entry[T]]) map[string]T {
	if len(v.got) == 0 {
		return nil
	}
	m := make(map[string]T, len(v.got))
	for _, e := range v.got {
		m[e.name] = e.value.got
	}
	return m
}
