// Package testproc lets a test run real processes: it builds a program once, starts it
// with its output captured, waits until it serves, and ends it with all that it began.
//
// A package of tests that uses Binary hands its TestMain over:
//
//	func TestMain(m *testing.M) { testproc.Main(m) }
//
// and a test then reads
//
//	admin := testproc.FreeAddr(t)
//	p := testproc.Start(t, "controller", exec.Command(testproc.Fairlead(t), "controller", "-c", file))
//	testproc.AwaitHTTP(t, 20*time.Second, "http://"+admin+"/readyz", p)
//
// Nothing has to be ended by hand: a process ends with the test that started it, the
// one started last first. Each leads a process group of its own and is ended by its own
// id, so that tests of several packages may run beside each other.
//
// When the test failed, the end of each process's output is logged. A process that ends
// before it was asked to, that does not end when asked, or that reports a data race
// fails its test.
//
// Only Unix systems have process groups, so the rest of the package is for those.
package testproc
