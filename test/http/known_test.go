package http_test

// flaw is what happens to a message today, and should not.
type flaw struct {
	today     string
	sometimes bool // a matter of who is first
	crash     bool // of the whole process: it is not even played
}

// What happens today, where it is the same for many.
const (
	asItIs     = "it is forwarded as it is"
	encoded    = "it is percent-encoded, and forwarded"
	lineFeeds  = "a line feed alone ends a line"
	tooLax     = "it is taken, and forwarded in a clean form"
	cutOff     = "the part that nobody expects is dropped, and the rest forwarded"
	waits      = "the server waits for more"
	lengthLost = "the length is dropped, and the request forwarded chunked"
	notClosed  = "the connection is kept, and what follows is a request"
	// A request of unknown length without a body: a nil pointer in the transport's own
	// goroutine, where nobody recovers.
	preface = "it ends the process"

	cutClient = "the client's connection is cut instead of a 502"
	// The connection is free for the next request before a goroutine has looked whether
	// there is more on it.
	poisoned = "the next request may be sent first, and gets what is there already as its answer"
)

// knownRequests are the requests that are not dealt with as they should be. Whoever mends
// one takes it off: a case that is here and passes fails the test.
var knownRequests = map[string]flaw{
	"http-2-preface":              {today: preface, crash: true},
	"http-2-preface-and-settings": {today: preface, crash: true},

	"length-and-chunked":                  {today: lengthLost},
	"chunked-and-length":                  {today: lengthLost},
	"length-zero-and-chunked":             {today: lengthLost},
	"coding-and-length-in-http-1-0":       {today: lengthLost},
	"pipelined-behind-length-and-chunked": {today: lengthLost + ", and so is what is behind it"},
	"coding-in-http-1-0":                  {today: tooLax},
	"lengths-that-agree":                  {today: tooLax},

	"chunk-extension-with-nul":        {today: tooLax},
	"chunk-size-with-space-behind":    {today: tooLax},
	"chunk-size-with-tab-behind":      {today: tooLax},
	"chunk-size-of-2-to-the-63":       {today: waits},
	"chunks-ended-by-line-feed":       {today: waits},
	"trailer-with-line-feed":          {today: waits},
	"trailer-with-forwarded-for":      {today: asItIs},
	"trailer-with-space-before-colon": {today: tooLax},
	"trailer-folded":                  {today: tooLax},
	"pipelined-behind-a-bad-trailer":  {today: "the trailer is not looked at, and the request behind it is forwarded"},

	"lines-ended-by-line-feed":        {today: lineFeeds},
	"request-line-ended-by-line-feed": {today: lineFeeds},
	"field-ended-by-line-feed":        {today: lineFeeds},
	"head-ended-by-line-feed":         {today: lineFeeds},
	"field-smuggled-behind-line-feed": {today: lineFeeds},
	"folded-field":                    {today: "it is made one line"},
	"folded-field-with-tab":           {today: "it is made one line"},
	"folded-coding":                   {today: "it is made one line"},
	"empty-line-before":               {today: "it is refused"},

	"target-with-marks":             {today: encoded},
	"target-with-fragment":          {today: encoded},
	"target-with-fragment-in-query": {today: asItIs},
	"target-with-backslash":         {today: encoded},
	"target-of-other-bytes":         {today: encoded},
	"query-of-other-bytes":          {today: asItIs},
	"authority-form":                {today: "it is taken for a URL, and its port forwarded as a target"},
	"asterisk-form-of-get":          {today: asItIs},

	"host-empty":                      {today: "the backend's address is put in its place"},
	"host-of-ipv6-not-closed":         {today: asItIs},
	"host-of-ipv6-without-brackets":   {today: asItIs},
	"host-with-port-of-letters":       {today: asItIs},
	"host-with-port-too-high":         {today: asItIs},
	"host-with-two-ports":             {today: asItIs},
	"host-without-name":               {today: asItIs},
	"host-too-long":                   {today: asItIs},
	"absolute-form-with-userinfo":     {today: cutOff},
	"absolute-form-without-authority": {today: cutOff},
	"absolute-form-without-slashes":   {today: "its path is forwarded without a slash"},
	"absolute-form-of-another-scheme": {today: cutOff},
	"absolute-form-of-a-file":         {today: cutOff},

	"method-that-is-too-long":  {today: asItIs},
	"connect":                  {today: notClosed},
	"connect-with-origin-form": {today: notClosed},
	"connect-with-length":      {today: notClosed},
	"pipelined-behind-connect": {today: notClosed},
	"expect-something-more":    {today: asItIs},
	"expect-in-two-lines":      {today: asItIs},

	"upgrade-h2":             {today: asItIs},
	"upgrade-in-http-1-0":    {today: asItIs},
	"upgrade-of-other-bytes": {today: notClosed},

	"target-too-long":             {today: "it is answered 431"},
	"target-too-long-without-end": {today: "it is answered 431"},
	"version-too-long":            {today: "it is answered 431"},
	"fields-too-many":             {today: "nobody counts them"},
}

// knownAnswers are the same for answers.
var knownAnswers = map[string]flaw{
	"answer-of-http-2":        {today: tooLax},
	"answer-with-two-spaces":  {today: tooLax},
	"answer-status-with-plus": {today: cutClient},
	"answer-status-000":       {today: cutClient},
	"answer-status-099":       {today: cutClient},

	"answer-length-and-chunked":  {today: lengthLost},
	"answer-coding-in-http-1-0":  {today: tooLax},
	"answer-trailer-with-length": {today: asItIs},

	"answer-lines-ended-by-line-feed":      {today: lineFeeds},
	"answer-field-ended-by-line-feed":      {today: lineFeeds},
	"answer-space-before-colon":            {today: "it is no length, so the body ends with the connection, which does not end"},
	"answer-space-in-name":                 {today: cutOff},
	"answer-fields-too-many":               {today: "nobody counts them"},
	"answer-that-says-what-the-proxy-says": {today: asItIs},

	"answer-informational-without-end":        {today: "nobody counts them"},
	"answer-informational-fields-without-end": {today: "nobody counts them"},
	"answer-before-the-request-is-complete":   {today: "the server reads the rest before it closes the connection"},

	"answer-and-another-later":        {today: poisoned, sometimes: true},
	"answer-and-informational-later":  {today: poisoned, sometimes: true},
	"answer-and-timeout-later":        {today: poisoned, sometimes: true},
	"answer-and-bytes":                {today: poisoned, sometimes: true},
	"answer-and-line-end":             {today: poisoned, sometimes: true},
	"answer-and-another":              {today: poisoned, sometimes: true},
	"answer-chunked-and-another":      {today: poisoned, sometimes: true},
	"answer-without-body-and-another": {today: poisoned, sometimes: true},
	"answer-204-with-bytes":           {today: poisoned, sometimes: true},
	"answer-204-with-length":          {today: poisoned, sometimes: true},
	"answer-204-with-chunks":          {today: poisoned, sometimes: true},
	"answer-304-with-bytes":           {today: poisoned, sometimes: true},
	"answer-to-head-with-bytes":       {today: poisoned, sometimes: true},
	"answer-to-head-with-chunks":      {today: poisoned, sometimes: true},
}
