package dash

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
)

// maxLast is the most past decisions that an explanation adds.
const maxLast = 1024

var toJSON = protojson.MarshalOptions{EmitUnpopulated: true}

func (s *Server) snapshot(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	snapshot, err := s.config.Source.Snapshot(ctx)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.answer(w, r, snapshot)
}

func (s *Server) explain(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	exclude := slices.DeleteFunc(query["exclude"], func(b string) bool { return b == "" })
	ask := &fairleadv1.ExplainRequest{Pool: query.Get("pool"), Exclude: exclude, Zone: query.Get("zone")}
	if ask.Pool == "" {
		fail(w, http.StatusBadRequest, "Say which pool: ?pool=NAME.")
		return
	}
	if wrong := describe(ask, query); wrong != "" {
		fail(w, http.StatusBadRequest, wrong)
		return
	}
	if text := query.Get("last"); text != "" {
		last, err := strconv.ParseUint(text, 10, 32)
		if err != nil || last > maxLast {
			fail(w, http.StatusBadRequest, "last is how many past decisions to add, from 0 to 1024.")
			return
		}
		ask.Last = uint32(last)
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	explanation, err := s.config.Operator.Explain(ctx, ask)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.answer(w, r, explanation)
}

// describe reads what the request is that a question is about, or says what is wrong.
func describe(ask *fairleadv1.ExplainRequest, query url.Values) string {
	ask.Flow, ask.Affinity, ask.Labels = query.Get("flow"), query.Get("affinity"), query["label"]
	if word := query.Get("class"); word != "" {
		c, ok := fleet.ClassOf(word)
		if !ok {
			return "class is critical, normal or sheddable."
		}
		ask.Class = fairleadv1.Class(c)
	}
	if text := query.Get("deadline"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return "deadline is a duration, such as 500ms or 30s."
		}
		ask.DeadlineMs = uint64((d + time.Millisecond - 1) / time.Millisecond)
	}
	return ""
}

func (s *Server) drain(w http.ResponseWriter, r *http.Request) {
	t, ok := readTarget(w, r)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	inFlight, err := s.config.Operator.Drain(ctx, t.Pool, t.Backend)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.log.Info("drain by the admin server", "pool", t.Pool, "backend", t.Backend, "in_flight", inFlight, "from", r.RemoteAddr)
	s.answer(w, r, &fairleadv1.DrainResponse{InFlight: inFlight})
}

func (s *Server) undrain(w http.ResponseWriter, r *http.Request) {
	t, ok := readTarget(w, r)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	if err := s.config.Operator.Undrain(ctx, t.Pool, t.Backend); err != nil {
		s.failWith(w, r, err)
		return
	}
	s.log.Info("undrain by the admin server", "pool", t.Pool, "backend", t.Backend, "from", r.RemoteAddr)
	s.answer(w, r, &fairleadv1.UndrainResponse{})
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if err := s.config.Ready(); err != nil {
		fail(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	say(w, "ok\n")
}

// target is the body of a drain or an undrain.
type target struct {
	Pool    string `json:"pool"` // empty: every pool that has the backend
	Backend string `json:"backend"`
}

// readTarget reads a target, or answers what is wrong with it.
func readTarget(w http.ResponseWriter, r *http.Request) (target, bool) {
	var t target
	if !readJSON(w, r, &t, `{"pool": "NAME", "backend": "HOST:PORT"}`) {
		return t, false
	}
	if t.Backend == "" {
		fail(w, http.StatusBadRequest, "Say which backend: its address, as the snapshot shows it.")
		return t, false
	}
	return t, true
}

// readJSON reads a body, or answers what is wrong with it.
func readJSON(w http.ResponseWriter, r *http.Request, into any, form string) bool {
	// A page of another site can send a form or plain text unasked, but not JSON.
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		fail(w, http.StatusUnsupportedMediaType, "Send the body as Content-Type: application/json.")
		return false
	}
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, more := decoder.Token(); more != io.EOF {
			err = errors.Join(errors.New("something follows the object"), more)
		}
	}
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		fail(w, http.StatusRequestEntityTooLarge, "The body is larger than 64 KiB.")
	case err != nil:
		fail(w, http.StatusBadRequest, "The body is not "+form+": "+err.Error()+".")
	default:
		return true
	}
	return false
}

// answer sends m as JSON.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, m proto.Message) {
	body, err := toJSON.Marshal(m)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // a client that left needs no answer
}

// failWith answers with what the controller's error means over HTTP.
func (s *Server) failWith(w http.ResponseWriter, r *http.Request, err error) {
	code := statusOf(err)
	if code == http.StatusInternalServerError {
		s.log.Error("an admin request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	fail(w, code, status.Convert(err).Message())
}

// statusOf returns the HTTP status of a gRPC status or a context's error.
func statusOf(err error) int {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return http.StatusServiceUnavailable
	}
	switch status.Code(err) {
	case codes.NotFound:
		return http.StatusNotFound
	case codes.InvalidArgument, codes.OutOfRange:
		return http.StatusBadRequest
	case codes.FailedPrecondition, codes.AlreadyExists, codes.Aborted:
		return http.StatusConflict
	case codes.PermissionDenied, codes.Unauthenticated:
		return http.StatusForbidden
	case codes.Unimplemented:
		return http.StatusNotImplemented
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.ResourceExhausted:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// problem is what every answer says that is not 2xx.
type problem struct {
	Error string `json:"error"`
}

// fail answers with a sentence.
func fail(w http.ResponseWriter, code int, sentence string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(problem{Error: sentence}) // a client that left needs no answer
}

// say answers with plain text.
func say(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, text) // a client that left needs no answer
}
