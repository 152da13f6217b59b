package serial

import (
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

func direct(f func()) { f() }

// Only one at a time has the claim, and only while there is something to run.
func TestClaim(t *testing.T) {
	var q Queue
	if q.Claim() {
		t.Error("an empty queue was claimed")
	}
	q.Add(func() {
		if q.Claim() {
			t.Error("a queue was claimed that is being run")
		}
		q.Add(func() {
			if q.Claim() {
				t.Error("a queue was claimed while its last function runs")
			}
		})
	})
	if !q.Claim() {
		t.Fatal("a queue with a function was not claimed")
	}
	if q.Claim() {
		t.Error("a queue was claimed twice")
	}
	q.Run(direct)
	q.Add(func() {})
	if !q.Claim() {
		t.Error("a queue was not claimed whose run is over")
	}
}

// Whoever adds them, and wherever one ends its goroutine, each function runs once,
// alone and behind those that were added before it.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const adders, each = 4, 100
		var q Queue
		var got [adders][]int // without a lock: the race detector watches
		var adding sync.WaitGroup
		for a := range adders {
			adding.Go(func() {
				for n := range each {
					q.Add(func() {
						if got[a] = append(got[a], n); n%10 == 0 {
							runtime.Goexit()
						}
					})
					if q.Claim() {
						go q.Run(direct)
					}
				}
			})
		}
		synctest.Wait()
		adding.Wait()
		for a := range adders {
			if len(got[a]) != each || !slices.IsSorted(got[a]) {
				t.Errorf("%d: they ran in the order %v", a, got[a])
			}
		}
		if q.Len() != 0 {
			t.Errorf("%d wait still", q.Len())
		}
	})
}

func TestTake(t *testing.T) {
	var q Queue
	var got []int
	for n := range 3 {
		q.Add(func() { got = append(got, n) })
	}
	for want := 3; want > 0; want-- {
		if q.Len() != want {
			t.Errorf("%d wait, want %d", q.Len(), want)
		}
		q.Take()()
	}
	if q.Take() != nil || q.Len() != 0 {
		t.Error("an empty queue has something to run")
	}
	if !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("they ran in the order %v", got)
	}
}
