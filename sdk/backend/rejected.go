package backend

import (
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// RejectedError says that the controller turned the backend away, and would again.
type RejectedError struct {
	Code    codes.Code // of the gRPC status that ended the session
	Message string     // the controller's own words
}

// Error says in a sentence what is wrong and what to do about it.
func (e *RejectedError) Error() string {
	return fmt.Sprintf("the controller turned this backend away: %s: %s", e.Message, e.advice())
}

func (e *RejectedError) advice() string {
	switch e.Code {
	case codes.FailedPrecondition:
		return "put right what it names, which is the version of one of the two, or the pool in its config"
	case codes.InvalidArgument:
		return "it calls what was said of the backend wrong; correct the pool, the address, the slots or the load"
	case codes.NotFound:
		return "it has no such pool, or the pool takes only backends that its config lists; correct the pool's name, or the controller's config"
	case codes.AlreadyExists:
		return "another live process reports for the same address; stop that one, or give this one its own address"
	case codes.Unimplemented:
		return "what answers there is no controller, or one too old for agents; correct the controller's address"
	case codes.PermissionDenied, codes.Unauthenticated:
		return "it does not accept the certificate; give one that names this pool and backend, or correct the credentials in the dial options"
	}
	return "see the controller's log"
}

// rejection returns what kind of no the controller gave, or nil if the session ended
// for a reason that may pass. AlreadyExists may pass too, for a while.
func rejection(err error) *RejectedError {
	var rejected *RejectedError
	if errors.As(err, &rejected) {
		return rejected
	}
	var carrier interface{ GRPCStatus() *status.Status }
	if !errors.As(err, &carrier) {
		return nil
	}
	s := carrier.GRPCStatus()
	switch s.Code() {
	case codes.FailedPrecondition, codes.InvalidArgument, codes.NotFound, codes.AlreadyExists,
		codes.Unimplemented, codes.PermissionDenied, codes.Unauthenticated:
		return &RejectedError{Code: s.Code(), Message: s.Message()}
	}
	return nil
}
