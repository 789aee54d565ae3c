package locate

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// What one prefix may have, and the size of the table of prefixes.
const (
	asksRate   = 100 // a second
	asksBurst  = 200
	bucketSets = 4096
	bucketWays = 4 // in a set; together half a MiB
)

// Lengths of the prefixes that count as one sender: who has one address of them has all.
const (
	senderBits4 = 24
	senderBits6 = 56
)

// verdict is what a limit says.
type verdict uint8

const (
	allowed verdict = iota
	curtailed
	ignored
)

// buckets are token buckets of senders in a table of a fixed size. The methods are safe
// for concurrent use.
type buckets struct {
	rate, burst float64 // a second; at once
	seed        maphash.Seed

	mu   sync.Mutex // guards sets
	sets [][bucketWays]bucket
}

// bucket is one sender's. The zero bucket is nobody's.
type bucket struct {
	sender sender
	tokens float64
	at     time.Duration // when it had these tokens
	over   bool          // the last query beyond the rate was curtailed
}

// sender is the prefix of an address: its bits above, and a mark of the family in the last
// byte.
type sender uint64

func prefixOf(a netip.Addr) sender {
	a = a.Unmap()
	if a.Is4() {
		b := a.As4()
		return sender(binary.BigEndian.Uint32(b[:]))>>(32-senderBits4)<<8 | 4
	}
	b := a.As16()
	return sender(binary.BigEndian.Uint64(b[:8])>>(64-senderBits6)<<(64-senderBits6) | 6)
}

func newBuckets(rate, burst float64) *buckets {
	return &buckets{rate: rate, burst: burst, seed: maphash.MakeSeed(), sets: make([][bucketWays]bucket, bucketSets)}
}

// take takes a token of a sender. Without one, every other call is curtailed, the first
// included, and the rest are to be ignored. A sender that is new to a full set replaces
// whoever has the most tokens there and begins with these, so that many senders together
// get no more than the table's size allows.
func (b *buckets) take(s sender, now time.Duration) verdict {
	b.mu.Lock()
	defer b.mu.Unlock()
	set := &b.sets[maphash.Comparable(b.seed, s)%uint64(len(b.sets))]
	k := b.find(set, s, now)
	b.fill(k, now)
	if k.tokens >= 1 {
		k.tokens--
		return allowed
	}
	k.over = !k.over
	if k.over {
		return curtailed
	}
	return ignored
}

func (b *buckets) find(set *[bucketWays]bucket, s sender, now time.Duration) *bucket {
	richest := &set[0]
	for i := range set {
		k := &set[i]
		if k.sender == s {
			return k
		}
		b.fill(k, now)
		if k.tokens > richest.tokens {
			richest = k
		}
	}
	*richest = bucket{sender: s, tokens: richest.tokens, at: now}
	return richest
}

// fill brings a bucket up to now.
func (b *buckets) fill(k *bucket, now time.Duration) {
	if k.sender == 0 {
		k.tokens, k.at = b.burst, now
		return
	}
	if now > k.at {
		k.tokens = min(b.burst, k.tokens+b.rate*(now-k.at).Seconds())
		k.at = now
	}
}
