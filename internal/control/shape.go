package control

import (
	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
)

// shape is what the config makes of a controller. It never changes; a reload replaces it.
type shape struct {
	file  *config.Config
	pools map[fleet.PoolName]*runner
	live  []*runner // as in the file
	all   []*runner // a runner's number is its place here, plus one; nil: its pool is gone
	table *fairleadv1.Table
}

// shaped returns the shape that a config makes of what there is. make makes the runners of
// pools that are new. Numbers are not given twice: what was said of a pool that is gone must
// not be taken for another's.
func (c *Controller) shaped(file *config.Config, make func(config.Pool, uint32) *runner) *shape {
	was := c.shape.Load()
	s := &shape{file: file, pools: map[fleet.PoolName]*runner{}}
	s.all = append(s.all, was.all...)
	for _, p := range file.Pools {
		r := was.pools[p.Name]
		if r == nil {
			r = make(p, uint32(len(s.all)+1))
			s.all = append(s.all, r)
		}
		s.pools[p.Name] = r
		s.live = append(s.live, r)
	}
	for i, r := range s.all {
		if r != nil && s.pools[r.conf().Name] != r {
			s.all[i] = nil
		}
	}
	version := uint64(1)
	if was.table != nil {
		version = was.table.GetVersion() + 1
	}
	s.table = makeTable(file, s, version)
	return s
}

func (c *Controller) file() *config.Config { return c.shape.Load().file }

// pool returns the runner of a pool, or nil.
func (c *Controller) pool(name fleet.PoolName) *runner { return c.shape.Load().pools[name] }

// runners returns those of all pools. Nobody changes what it returns.
func (c *Controller) runners() []*runner { return c.shape.Load().live }

func (c *Controller) table() *fairleadv1.Table { return c.shape.Load().table }

// byNumber returns the runner that a table's number names, or nil.
func (c *Controller) byNumber(n uint32) *runner {
	all := c.shape.Load().all
	if n == 0 || int(n) > len(all) {
		return nil
	}
	return all[n-1]
}

// conf returns the config of the pool.
func (r *runner) conf() *config.Pool { return r.config.Load() }
