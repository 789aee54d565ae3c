package message

// Error says why a message is refused. Errors never change; each is one of those below.
type Error struct {
	// Status is what a client is answered. In an answer of a backend it means nothing.
	Status int
	Text   string
}

// Error implements error.
func (e *Error) Error() string { return e.Text }

// What is refused. The status is 400 unless the RFCs have a better one.
var (
	ErrLineEnd      = &Error{400, "a line ends in LF alone, without CR"}
	ErrEmptyLines   = &Error{400, "too many empty lines before a request"}
	ErrStart        = &Error{400, "malformed request line"}
	ErrMethod       = &Error{400, "malformed method"}
	ErrTarget       = &Error{400, "malformed request target"}
	ErrVersion      = &Error{505, "the protocol is neither HTTP/1.0 nor HTTP/1.1"}
	ErrLine         = &Error{414, "the request line is too long"}
	ErrField        = &Error{431, "a field is too long"}
	ErrFields       = &Error{431, "too many fields"}
	ErrHead         = &Error{431, "the head is too long"}
	ErrName         = &Error{400, "malformed field name"}
	ErrValue        = &Error{400, "a field value has a control character"}
	ErrFold         = &Error{400, "a field is folded over several lines"}
	ErrHost         = &Error{400, "missing, repeated or malformed Host"}
	ErrLength       = &Error{400, "malformed or repeated Content-Length"}
	ErrFraming      = &Error{400, "both Content-Length and Transfer-Encoding"}
	ErrCoding       = &Error{501, "a transfer coding that is not chunked alone"}
	ErrNotChunked   = &Error{400, "Transfer-Encoding does not end in a single chunked"}
	ErrOldCoding    = &Error{400, "Transfer-Encoding in HTTP/1.0"}
	ErrConnection   = &Error{400, "malformed Connection"}
	ErrExpect       = &Error{417, "an expectation that is not 100-continue"}
	ErrUpgrade      = &Error{400, "malformed Upgrade"}
	ErrConnect      = &Error{405, "this proxy makes no tunnels (CONNECT)"}
	ErrChunk        = &Error{400, "malformed chunk"}
	ErrChunkLine    = &Error{400, "a chunk's extension is too long"}
	ErrTrailer      = &Error{400, "a trailer field that may not be one"}
	ErrStatusLine   = &Error{502, "malformed status line"}
	ErrSwitch       = &Error{502, "the protocol is switched without being asked"}
	ErrUnexpected   = &Error{502, "an answer that may not be"}
	ErrTooManyHeads = &Error{502, "too many informational answers"}
)
