package sim

import "math"

// Processor sharing by a virtual clock (as in Demers, Keshav, Shenker 1989): it runs as
// fast as each request is worked on, so a request is done when the clock is where it was at
// its start, plus its work, whoever comes and goes meanwhile.

// shareRate returns how fast b works on each request that it has.
func (b *backend) shareRate() float64 {
	if n := len(b.shares); n > int(b.servers) {
		return b.rate * float64(b.servers) / float64(n)
	}
	return b.rate
}

// wind brings b's clock up to now.
func (e *engine) wind(b *backend) {
	b.clock += float64(e.now-b.clockAt) * b.shareRate()
	b.clockAt = e.now
}

func (e *engine) startSharing(i int32, b *backend) {
	e.wind(b)
	r := &e.requests[i]
	work := b.todo(r)
	r.began, r.service = e.now, int64(work/b.group.Speed*b.slow)
	if math.IsInf(b.slow, 1) {
		r.service = int64(work / b.group.Speed)
	}
	r.left = b.clock + work
	b.pushShare(share{r.left, i})
	e.expectShare(r.backend, b)
}

// expectShare notes when the first of those that share b will be done.
func (e *engine) expectShare(v int32, b *backend) {
	b.stamp++
	if rate := b.shareRate(); len(b.shares) > 0 && rate > 0 {
		left := max(0, b.shares[0].tag-b.clock)
		e.events.push(e.now+int64(math.Ceil(left/rate)), evShare, v, b.stamp)
	}
}

func (e *engine) shared(v, stamp int32) {
	b := &e.backends[v]
	if b.stamp != stamp {
		return
	}
	e.wind(b)
	i := b.shares[0].r
	b.cutShare(0)
	e.expectShare(v, b)
	e.finish(i, b)
}

// unshare takes a request out before it is done.
func (e *engine) unshare(i int32, b *backend) {
	e.wind(b)
	for at := range b.shares {
		if b.shares[at].r == i {
			b.cutShare(at)
			break
		}
	}
	e.expectShare(e.requests[i].backend, b)
}

func (b *backend) pushShare(s share) {
	b.shares = append(b.shares, s)
	b.rise(len(b.shares) - 1)
}

func (b *backend) rise(i int) {
	h := b.shares
	for i > 0 && h[i].tag < h[(i-1)/2].tag {
		h[i], h[(i-1)/2] = h[(i-1)/2], h[i]
		i = (i - 1) / 2
	}
}

func (b *backend) cutShare(i int) {
	last := len(b.shares) - 1
	b.shares[i] = b.shares[last]
	b.shares = b.shares[:last]
	if i == last {
		return
	}
	b.rise(i)
	for h := b.shares; ; {
		child := 2*i + 1
		if child >= last {
			return
		}
		if child+1 < last && h[child+1].tag < h[child].tag {
			child++
		}
		if h[i].tag <= h[child].tag {
			return
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
}
