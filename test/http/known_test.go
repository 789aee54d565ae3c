package http_test

// flaw is what happens to a message today, and should not.
type flaw struct {
	today     string
	sometimes bool // a matter of who is first
	crash     bool // of the whole process: it is not even played
}

// knownRequests are the requests that are not dealt with as they should be. Whoever mends
// one takes it off: a case that is here and passes fails the test.
var knownRequests = map[string]flaw{}

// knownAnswers are the same for answers.
var knownAnswers = map[string]flaw{}
