package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
)

func newExplain() *cobra.Command {
	req := &fairleadv1.ExplainRequest{}
	var asJSON bool
	cmd := &cobra.Command{
		Use: "explain POOL", Short: "Say which backend a request would get now, and why",
		Args: exactly(1, "one pool"),
	}
	addControllerFlag(cmd)
	f := cmd.Flags()
	f.StringSliceVar(&req.Exclude, "exclude", nil, "as if the request could not reach these backends")
	f.StringVar(&req.Zone, "zone", "", "as if the request came from this zone, in a pool that prefers zones")
	class := f.String("class", "", "as if the request were of this class: critical, normal or sheddable")
	f.StringVar(&req.Flow, "flow", "", "as if the request were this one's: a tenant, a key, a client")
	f.StringArrayVar(&req.Labels, "label", nil, "NAME=VALUE: as if the request required it of its backend; may be repeated")
	f.StringVar(&req.Affinity, "affinity", "", "as if the request had this cookie, header or client that sends it to its backend")
	deadline := f.Duration("deadline", 0, "as if the request's client waited no longer than this; 0: any time")
	f.Uint32Var(&req.Last, "last", 10, "how many of the latest decisions to show, at most 1024")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		req.Pool = args[0]
		if err := fillExplain(cmd, req, *class, *deadline); err != nil {
			return err
		}
		return ask(cmd, func(ctx context.Context, c fairleadv1.ToolsClient) error {
			e, err := c.Explain(ctx, req)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), e)
			}
			return showExplanation(cmd.OutOrStdout(), e)
		})
	}
	return cmd
}

// fillExplain checks what describes the request, and completes it.
func fillExplain(cmd *cobra.Command, req *fairleadv1.ExplainRequest, class string, deadline time.Duration) error {
	if class != "" {
		c, ok := fleet.ClassOf(class)
		if !ok {
			return usage(cmd, "--class %q: it is critical, normal or sheddable", class)
		}
		req.Class = fairleadv1.Class(c)
	}
	if deadline < 0 {
		return usage(cmd, "--deadline %s: it is 0 or more", deadline)
	}
	if err := fleet.CheckLabels(req.GetLabels()); err != nil {
		return usage(cmd, "--label: %v", err)
	}
	req.DeadlineMs = uint64((deadline + time.Millisecond - 1) / time.Millisecond)
	return nil
}

// column is one of a table that is shown only where it says something.
type column[T any] struct {
	head  string
	said  func(T) bool // nil: always shown
	value func(T) any
}

// printed prints a table without the columns that say nothing of any row.
func printed[T any](out io.Writer, rows []T, columns []column[T]) error {
	var shown []column[T]
	var heads []string
	for _, c := range columns {
		said := c.said == nil
		for _, row := range rows {
			said = said || c.said(row)
		}
		if said {
			shown, heads = append(shown, c), append(heads, c.head)
		}
	}
	return table(out, strings.Join(heads, " "), func(print func(...any)) {
		for _, row := range rows {
			var cells []any
			for _, c := range shown {
				cells = append(cells, c.value(row))
			}
			print(cells...)
		}
	})
}

func thousandths(f float64) string { return fmt.Sprintf("%.3f", f) }

// candidateColumns are those of an explanation's backends.
func candidateColumns() []column[*fairleadv1.Candidate] {
	type candidate = *fairleadv1.Candidate
	part := func(head string, of func(candidate) float64) column[candidate] {
		return column[candidate]{head, nil, func(c candidate) any { return thousandths(of(c)) }}
	}
	sometimes := func(head string, of func(candidate) float64) column[candidate] {
		c := part(head, of)
		c.said = func(c candidate) bool { return of(c) != 0 }
		return c
	}
	return []column[candidate]{
		{"BACKEND", nil, func(c candidate) any { return c.GetBackend() }},
		{"ZONE", nil, func(c candidate) any { return c.GetInZone() }},
		{"IN-FLIGHT", nil, func(c candidate) any { return c.GetInFlight() }},
		{"SLOTS", nil, func(c candidate) any { return c.GetSlots() }},
		part("SCORE", candidate.GetScore), part("SPEED", candidate.GetSpeed), part("FILL", candidate.GetFill),
		sometimes("QUEUE", candidate.GetQueue), sometimes("WEIGHT", candidate.GetWeight),
		part("FOREIGN", candidate.GetForeign), part("UTIL", candidate.GetUtilization), part("ERRORS", candidate.GetErrors),
		part("OTHER-ZONE", candidate.GetZone),
		{"AFFINE", candidate.GetAffine, func(c candidate) any { return yes(c.GetAffine()) }},
		{"WHY-NOT", nil, func(c candidate) any { return c.GetWhyNot() }},
	}
}

// decisionColumns are those of the latest decisions.
func decisionColumns() []column[*fairleadv1.Decision] {
	type decision = *fairleadv1.Decision
	return []column[decision]{
		{"AGO", nil, func(d decision) any { return (time.Duration(d.GetAgoMs()) * time.Millisecond).String() }},
		{"PROXY", nil, func(d decision) any { return d.GetProxy() }},
		{"ASK", nil, func(d decision) any { return d.GetAsk() }},
		{"CLASS", func(d decision) bool { return d.GetClass() != 0 }, func(d decision) any { return fleet.Class(d.GetClass()).String() }},
		{"FLOW", func(d decision) bool { return d.GetFlow() != "" }, func(d decision) any { return d.GetFlow() }},
		{"RESULT", nil, func(d decision) any { return resultOf(d) }},
		{"KEPT", decision.GetKept, func(d decision) any { return yes(d.GetKept()) }},
		{"MOVED", decision.GetMoved, func(d decision) any { return yes(d.GetMoved()) }},
		{"SCORE", nil, func(d decision) any { return thousandths(d.GetScore()) }},
		{"WAITED", nil, func(d decision) any { return (time.Duration(d.GetWaitedUs()) * time.Microsecond).String() }},
		{"FREE", nil, func(d decision) any { return d.GetFree() }},
		{"ZONE", nil, func(d decision) any { return d.GetZone() }},
		{"ZONE-COST", nil, func(d decision) any { return thousandths(d.GetZoneCost()) }},
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// resultOf says what a decision came to.
func resultOf(d *fairleadv1.Decision) string {
	if b := d.GetBackend(); b != "" {
		return b
	}
	return "refused: " + strings.ToLower(strings.TrimPrefix(d.GetReason().String(), "REASON_"))
}

func showExplanation(out io.Writer, e *fairleadv1.Explanation) error {
	fmt.Fprintf(out, "A request for pool %q now would be %s.\n\n", e.GetPool(), e.GetVerdict())
	fmt.Fprintln(out, "Backends, the least score first. A score is in units of the logarithm of latency.")
	err := printed(out, e.GetCandidates(), candidateColumns())
	if err != nil || len(e.GetLast()) == 0 {
		return err
	}
	fmt.Fprintln(out, "\nThe latest decisions, newest first.")
	return printed(out, e.GetLast(), decisionColumns())
}
