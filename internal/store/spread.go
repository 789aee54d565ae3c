package store

import (
	"cmp"
	"hash/fnv"
	"maps"
	"slices"
)

// Spread says which of the live members should lead which pool. A move by hand to a member
// that is alive comes first. The rest is spread evenly: nobody leads more than one pool
// more than another, as far as moves allow. Whoever leads a pool keeps it unless that
// makes it uneven, so few pools move when a member comes or goes. It depends on nothing
// else, so that all controllers that see the same come to the same result. Without live
// members it is empty.
func Spread(pools, live []string, moves, leaders map[string]string) map[string]string {
	should := make(map[string]string, len(pools))
	if len(live) == 0 {
		return should
	}
	load := map[string]int{}
	for _, m := range live {
		load[m] = 0
	}
	var free []string
	for _, p := range slices.Compact(slices.Sorted(slices.Values(pools))) {
		if to, ok := moves[p]; ok {
			if _, alive := load[to]; alive {
				should[p] = to
				load[to]++
				continue
			}
		}
		free = append(free, p)
	}
	quota := quotas(load, len(free), kept(free, leaders))
	var homeless []string
	for _, p := range free {
		if at, ok := leaders[p]; ok && quota[at] > 0 {
			should[p] = at
			quota[at]--
			continue
		}
		homeless = append(homeless, p)
	}
	for _, p := range homeless {
		at := best(p, quota)
		should[p] = at
		quota[at]--
	}
	return should
}

// kept counts how many pools each member leads.
func kept(free []string, leaders map[string]string) map[string]int {
	n := map[string]int{}
	for _, p := range free {
		if at, ok := leaders[p]; ok {
			n[at]++
		}
	}
	return n
}

// quotas says how many of so many pools each member takes, on top of the load that it has.
// Who may have one more than others is first who leads more already.
func quotas(load map[string]int, pools int, leads map[string]int) map[string]int {
	quota := map[string]int{}
	members := slices.Sorted(maps.Keys(load))
	for range pools {
		least := slices.MinFunc(members, func(a, b string) int {
			return cmp.Or(
				cmp.Compare(load[a]+quota[a], load[b]+quota[b]),
				cmp.Compare(leads[b]-quota[b], leads[a]-quota[a]),
				cmp.Compare(a, b))
		})
		quota[least]++
	}
	return quota
}

// best returns the member that a pool without a leader goes to: of those that take one
// more, the one that the pool's name falls to (rendezvous hashing). So it does not depend
// on which of the other pools have been taken already.
func best(pool string, quota map[string]int) string {
	var at string
	var most uint64
	for _, m := range slices.Sorted(maps.Keys(quota)) {
		if quota[m] <= 0 {
			continue
		}
		h := fnv.New64a()
		_, _ = h.Write([]byte(pool + "\x00" + m)) // never fails
		if w := mixed(h.Sum64()); at == "" || w > most {
			at, most = m, w
		}
	}
	return at
}

// mixed spreads the differences of FNV sums of short texts over all bits (the finalizer of
// MurmurHash3).
func mixed(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
