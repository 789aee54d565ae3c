// Package corpus holds HTTP/1.1 messages that parsers have disagreed about, each with what
// a proxy has to make of it. It is for tests: test/http plays it through a server, and fuzz
// targets take their seeds from it.
//
// A file of requests or answers is a list of cases, and a line of it is one of these:
//
//	# text                    a remark, as is an empty line
//	case NAME                 begins a case; the name is the only one of its kind
//	rfc SECTION               what the verdict rests on, such as 9112 6.3
//	why TEXT                  what goes wrong where the verdict is another one
//	> BYTES                   what the client sends (of an answer's case: GET / by default)
//	< BYTES                   what the backend answers; only in answers
//	late BYTES                what it sends when the client has its answer; only in answers
//	early                     it answers as soon as it has the request's head; only in answers
//	end closed                whoever sent the bytes above closes its sending side after them
//	want VERDICT              one for each message, in order
//	or VERDICT                another one that will do as well
//	has NAME: VALUE           the message that arrives has this field, once and so
//	lacks NAME                it has no such field
//	body BYTES                its body; without this line it has none
//	trailer NAME: VALUE       a field after its body; without this line there is none
//	after kept|closed|any     what becomes of the client's connection after the last
//	                          message; after a refusal it is always closed
//	reuse no|yes|any          whether the connection to the backend may serve another
//	                          request; only in answers
//
// BYTES are ASCII with the escapes \r \n \t \0 \s (a space, where it would not be seen) \\
// \xHH, and \*N{BYTES} for N times the same. Nothing is added at a line's end.
//
// A VERDICT on a request is one of
//
//	forwarded METHOD TARGET   it arrives as that, and is answered
//	refused STATUS...         one of these answers, and nothing of it arrives; none as a
//	                          status stands for a connection that is closed without a word
//	broken STATUS...          the same, but the beginning of it may arrive: its end never does
//
// and on an answer one of
//
//	forwarded STATUS          it arrives as that
//	refused STATUS...         the proxy answers in its place
//	broken STATUS...          the same, or what arrives breaks off visibly
package corpus

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
)

//go:embed requests/*.txt answers/*.txt
var files embed.FS

// Case is a request or an answer, and what is to become of it.
type Case struct {
	Name string
	File string // that it stands in, without its ending
	RFC  string
	Why  string

	Sent   []byte // by the client
	Answer []byte // by the backend; nil in a request's case
	Late   []byte // sent by the backend when the client has its answer
	Early  bool   // the backend answers when it has the request's head
	Closes bool   // the client (in an answer's case: the backend) closes its sending side

	Wants []Want // one for each message
	After After  // what becomes of the client's connection
	Reuse Reuse  // may the backend's connection be used again
}

// Want is what may become of a message: any of these.
type Want []Verdict

// Verdict is one thing that may become of a message.
type Verdict struct {
	Kind     Kind
	Statuses []int // of a refusal, any of these, 0 for none; of an answer's forwarding, one

	Method, Target string // of a request that is forwarded
	Has            []Field
	Lacks          []string
	Body           []byte
	Trailer        []Field
}

// Field is a field line.
type Field struct{ Name, Value string }

// Kind is what a verdict says.
type Kind string

// Kinds.
const (
	Forwarded Kind = "forwarded"
	Refused   Kind = "refused"
	Broken    Kind = "broken"
)

// After is what becomes of the client's connection.
type After string

// What may become of it.
const (
	Kept    After = "kept"
	Closed  After = "closed"
	Whether After = "any"
)

// Reuse is whether a backend's connection may be used again.
type Reuse string

// What may be done with it.
const (
	Never  Reuse = "no"
	Always Reuse = "yes"
	Maybe  Reuse = "any"
)

// Requests returns the cases of requests.
func Requests() ([]Case, error) { return load("requests") }

// Answers returns the cases of answers.
func Answers() ([]Case, error) { return load("answers") }

// load reads the files of a folder, and sees to it that no name stands for two cases.
func load(dir string) ([]Case, error) {
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		return nil, fmt.Errorf("read the corpus: %w", err)
	}
	var all []Case
	seen := map[string]string{}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read the corpus: %w", err)
		}
		cases, err := Parse(name, string(text), dir == "answers")
		if err != nil {
			return nil, err
		}
		for _, c := range cases {
			if had := seen[c.Name]; had != "" {
				return nil, fmt.Errorf("%s: %s has a case %q already; name this one otherwise", name, had, c.Name)
			}
			seen[c.Name] = name
		}
		all = append(all, cases...)
	}
	return all, nil
}
