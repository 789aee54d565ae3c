package report

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
)

// Header and HeaderBin are the fields of an answer's head that carry a report.
//
//	endpoint-load-metrics: TEXT cpu_utilization=0.3,named_metrics.in_flight=2
//	endpoint-load-metrics: JSON {"cpu_utilization": 0.3}
//	endpoint-load-metrics: BIN CTMzMzMzM9M/
//	endpoint-load-metrics-bin: CTMzMzMzM9M/
//
// The text may also come without the word TEXT, as in ORCA's first draft.
const (
	Header    = "Endpoint-Load-Metrics"
	HeaderBin = "Endpoint-Load-Metrics-Bin"
)

// MaxHeader is the longest report, in bytes, that is decoded.
const MaxHeader = 8 << 10

var errTooLong = fmt.Errorf("load report: longer than %d bytes", MaxHeader)

// FromHeader reads the report in an answer's head. It returns false when there is none;
// an error when there is one that cannot be used. With both fields, the binary one
// counts; of a field that comes more than once, the first. h must have canonical keys,
// as net/http makes them. Without a report it costs two map lookups.
func FromHeader(h http.Header) (fleet.LoadReport, bool, error) {
	if v := h[HeaderBin]; len(v) > 0 {
		return found(fromBinary(v[0]))
	}
	v := h[Header]
	if len(v) == 0 {
		return fleet.LoadReport{}, false, nil
	}
	if len(v[0]) > MaxHeader {
		return found(fleet.LoadReport{}, errTooLong)
	}
	value := strings.TrimSpace(v[0])
	if value == "" {
		return fleet.LoadReport{}, false, nil
	}
	format, rest, ok := strings.Cut(value, " ")
	if !ok {
		format, rest = "TEXT", format
	}
	switch strings.ToUpper(format) {
	case "TEXT":
		return found(fromText(rest))
	case "JSON":
		return found(fromJSON(rest))
	case "BIN":
		return found(fromBinary(strings.TrimSpace(rest)))
	}
	if strings.Contains(format, "=") { // no word, and a space after a comma
		return found(fromText(value))
	}
	return found(fleet.LoadReport{}, fmt.Errorf("load report: unknown format %q; use TEXT, JSON or BIN", format))
}

func found(r fleet.LoadReport, err error) (fleet.LoadReport, bool, error) {
	return r, err == nil, err
}

func fromBinary(s string) (fleet.LoadReport, error) {
	if len(s) > MaxHeader {
		return fleet.LoadReport{}, errTooLong
	}
	// gRPC writes such values with or without padding.
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return fleet.LoadReport{}, fmt.Errorf("load report: %w", err)
	}
	var o fairleadv1.OrcaLoadReport
	if err := proto.Unmarshal(raw, &o); err != nil {
		return fleet.LoadReport{}, fmt.Errorf("load report: %w", err)
	}
	return FromORCA(&o)
}

func fromJSON(s string) (fleet.LoadReport, error) {
	var o fairleadv1.OrcaLoadReport
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal([]byte(s), &o); err != nil {
		return fleet.LoadReport{}, fmt.Errorf("load report: %w", err)
	}
	return FromORCA(&o)
}

// fromText reads name=value pairs. Names that Fairlead does not use are skipped.
func fromText(s string) (fleet.LoadReport, error) {
	var r fleet.LoadReport
	for pair := range strings.SplitSeq(s, ",") {
		pair = strings.TrimSpace(pair)
		if pair == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return fleet.LoadReport{}, fmt.Errorf("load report: %q is not name=value", pair)
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) { // too large is infinite, for check to name
			return fleet.LoadReport{}, fmt.Errorf("load report: %q is not a number", pair)
		}
		set(&r, strings.TrimSpace(name), v)
	}
	if err := check(&r); err != nil {
		return fleet.LoadReport{}, err
	}
	return r, nil
}

func set(r *fleet.LoadReport, name string, v float64) {
	switch name {
	case "cpu_utilization", "cpu":
		r.CPU = v
	case "mem_utilization", "mem":
		r.Memory = v
	case "application_utilization":
		r.Application = v
	case "rps_fractional", "rps":
		r.RPS = v
	case "eps":
		r.EPS = v
	case "named_metrics." + InFlightMetric:
		r.InFlight, r.HasInFlight = v, true
	case "named_metrics." + Load1Metric:
		r.Load1 = v
	}
}
