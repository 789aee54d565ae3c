package proxy

import (
	"context"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/front"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/originate"
)

// hand makes a table, whose pools nobody else has yet, ready to be applied.
func (p *Proxy) hand(t *fairleadv1.Table, pools map[uint32]*link.Pool) handed {
	files := map[fleet.PoolName]originate.Files{}
	for _, entry := range t.GetPools() {
		if m := entry.GetTls(); m != nil {
			files[fleet.PoolName(entry.GetName())] = originate.Files{
				CA: m.GetCa(), ServerName: m.GetServerName(), Cert: m.GetCert(), Key: m.GetKey(), SkipVerify: m.GetInsecureSkipVerify(),
			}
		}
	}
	secure := p.uplinks.Set(files)
	for _, pool := range pools {
		pool.TLS = secure[pool.Name]
	}
	return handed{t, pools}
}

// challenge returns what to answer a CA with that asks a host for a path over HTTP, whichever
// listener the certificate is for; nil: there is no challenge that it would solve.
func (p *Proxy) challenge(ctx context.Context, host, path string) []byte {
	p.mu.Lock()
	var fronts []*front.Front
	for _, l := range p.listeners {
		if l.front != nil {
			fronts = append(fronts, l.front)
		}
	}
	p.mu.Unlock()
	for _, f := range fronts {
		if solved := f.Challenge(ctx, host, path); solved != nil {
			return solved
		}
	}
	return nil
}
