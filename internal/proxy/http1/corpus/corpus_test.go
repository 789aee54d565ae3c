package corpus_test

import (
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/proxy/http1/corpus"
)

func TestLoads(t *testing.T) {
	requests, err := corpus.Requests()
	if err != nil {
		t.Fatal(err)
	}
	answers, err := corpus.Answers()
	if err != nil {
		t.Fatal(err)
	}
	if len(requests) < 150 || len(answers) < 40 {
		t.Errorf("%d requests and %d answers: where are the others?", len(requests), len(answers))
	}
}

const good = "case a\nrfc 9112 2\n> GET / HTTP/1.1\\r\\n\nwant refused 400 none\n"

func TestParse(t *testing.T) {
	cases, err := corpus.Parse("x.txt", good+
		"case b\nrfc 9112 2\n> \\*3{ab}\\0\\s\\\\\\x7f\n> c\nend closed\nwant forwarded GET /\\xff\nhas A: b: c\nbody x\\t\nor broken 400\nafter any\n", false)
	if err != nil {
		t.Fatal(err)
	}
	c := cases[1]
	if string(c.Sent) != "ababab\x00 \\\x7fc" || !c.Closes || c.After != corpus.Whether || c.File != "x" || len(c.Wants) != 1 {
		t.Errorf("%+v", c)
	}
	v := c.Wants[0][0]
	if v.Target != "/\xff" || v.Has[0] != (corpus.Field{Name: "A", Value: "b: c"}) || string(v.Body) != "x\t" || c.Wants[0][1].Kind != corpus.Broken {
		t.Errorf("%+v", c.Wants)
	}
}

// A mistake in a file must not make a case say less than its author meant.
func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"rfc 9112 2":                  "before any case",
		"case A":                      "small letters",
		good + "case a":               "a second case",
		"case a\ncase b":              "does not say its rfc",
		"case a\nrfc 1\nwant x y":     "x.txt:3",
		"case a\nrfc 1":               "has no bytes",
		good + "> a ":                 "a space at the end",
		good + "> \xff":               `\xff`,
		good + "> \\q":                "means nothing",
		good + "> \\":                 "at the end",
		good + "> \\x1":               "two hexadecimal",
		good + "> \\xyz":              "two hexadecimal",
		good + "> \\*2{a":             "repetition",
		good + "> \\*2{\\*2{a}}":      "repetition inside",
		good + "> \\*9999999{a}":      "more than",
		good + "has A: b":             "that is refused",
		good + "want forwarded GET":   "no verdict",
		good + "want refused 4x0":     "no status",
		good + "< a":                  "no line of a case",
		good + "after kpt":            "no line of a case",
		"case a\nrfc 1\nor refused 1": "or without",
		"case a\nrfc 1\nhas A: b":     "before a want",
	} {
		if _, err := corpus.Parse("x.txt", text, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(good, false)
	f.Add("case a\nrfc 1\n< \\*3{a}\nlate b\nearly\nwant forwarded 200\nreuse no\n", true)
	f.Fuzz(func(t *testing.T, text string, answers bool) {
		cases, err := corpus.Parse("x.txt", text, answers)
		if err != nil {
			return
		}
		for _, c := range cases {
			if c.Name == "" || len(c.Sent) == 0 || len(c.Wants) == 0 || len(c.Wants[0]) == 0 {
				t.Fatalf("a case that says nothing: %+v", c)
			}
		}
	})
}
