package report_test

import (
	"testing"

	xds "github.com/cncf/xds/go/xds/data/orca/v3"
	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

// TestXDS shows that our report and ORCA's are the same bytes, both ways.
func TestXDS(t *testing.T) {
	theirs := &xds.OrcaLoadReport{
		CpuUtilization: 0.1, MemUtilization: 0.2, RequestCost: map[string]float64{"tokens": 4},
		Utilization: map[string]float64{"gpu": 0.5}, RpsFractional: 6.5, Eps: 0.7,
		NamedMetrics: map[string]float64{"in_flight": 8}, ApplicationUtilization: 0.9,
	}
	ours := &fairleadv1.OrcaLoadReport{}
	through(t, theirs, ours)
	want := &fairleadv1.OrcaLoadReport{
		CpuUtilization: 0.1, MemUtilization: 0.2, RequestCost: map[string]float64{"tokens": 4},
		Utilization: map[string]float64{"gpu": 0.5}, RpsFractional: 6.5, Eps: 0.7,
		NamedMetrics: map[string]float64{"in_flight": 8}, ApplicationUtilization: 0.9,
	}
	if !proto.Equal(ours, want) {
		t.Errorf("ORCA's bytes read as %v", ours)
	}
	back := &xds.OrcaLoadReport{}
	through(t, ours, back)
	if !proto.Equal(back, theirs) {
		t.Errorf("our bytes read as %v in ORCA", back)
	}
	n, m := theirs.ProtoReflect().Descriptor().Fields().Len(), ours.ProtoReflect().Descriptor().Fields().Len()
	if n != m {
		t.Errorf("ORCA has %d fields, our report %d", n, m)
	}
}

func through(t *testing.T, from, to proto.Message) {
	t.Helper()
	b, err := proto.Marshal(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := proto.Unmarshal(b, to); err != nil {
		t.Fatal(err)
	}
	if len(to.ProtoReflect().GetUnknown()) > 0 {
		t.Errorf("%T has fields that %T does not know", from, to)
	}
}
