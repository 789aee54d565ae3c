package dispatch

import "github.com/fairlead/fairlead/internal/fleet"

// learner finds out how many workers the backends of a pool have.
type learner struct{ workers int }

func (l *learner) begin(spec *fleet.PoolSpec) { l.workers = max(spec.Workers, 1) }

func (l *learner) workersOf(b *backend) int { return l.workers }
