package accesslog

import (
	"errors"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// CutFor says how a request ended whose link was cut with an error, which is a
// *link.CutError.
func CutFor(err error) (end End, reason string) {
	var cut *link.CutError
	switch {
	case !errors.As(err, &cut):
		return Cut, ""
	case cut.Reason == fleet.BackendLost:
		return BackendLost, ""
	case cut.Reason == fleet.TimeLimit:
		return TimedOut, cut.Reason.String()
	}
	return Cut, cut.Reason.String()
}
