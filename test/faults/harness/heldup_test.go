//go:build unix

package harness

import "testing"

func TestUnsent(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2241 1 0000 100 0 0 10 0
   1: 020012C6:84A4 020712C6:1D38 06 00000000:00000000 03:00000047 00000000     0        0 0 3 0000
   2: 020012C6:83B0 020912C6:1F90 04 0000004D:00000000 01:00000AF2 00000005     0        0 0 3 0000
   3: 020012C6:83B2 020912C6:1F90 01 0000004D:00000000 01:00000AF2 00000005     0        0 2242 3 0000
`
	if n := unsent(table); n != 1 {
		t.Errorf("%d connections are held up, want the closed one alone", n)
	}
}
