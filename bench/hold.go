package main

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"time"
)

// hold opens the connections, waits until they have come to rest, and compares
// the process with what it was before. It leaves them open: the process ends.
func (j job) hold(library *library) (sample, error) {
	t := j.target()
	var first [][]byte
	if j.Workload.Used > 0 {
		first = messages(j.Workload.Content, j.Workload.Size)[:j.Workload.Used]
	}
	dial := func() (func() error, error) { return library.hold(t, first) }
	if err := open(1, 1, dial); err != nil { // what is made once for all
		return sample{}, err
	}
	before := takeFootprint(j.Window)
	if err := open(j.Connections, 16, dial); err != nil {
		return sample{}, err
	}
	after := takeFootprint(j.Window)
	n := float64(j.Connections)
	return sample{
		Memory:     float64(after.memory-before.memory) / n,
		Goroutines: float64(after.goroutines-before.goroutines) / n,
	}, nil
}

// open opens n connections, so many at a time, and reads from each on a
// goroutine of its own, which ends with its connection.
func open(n, atOnce int, dial func() (read func() error, err error)) error {
	var workers sync.WaitGroup
	turns := make(chan struct{}, n)
	for range n {
		turns <- struct{}{}
	}
	close(turns)
	failed := make(chan error, n)
	for range min(n, atOnce) {
		workers.Go(func() {
			for range turns {
				read, err := dial()
				if err != nil {
					failed <- err
					return
				}
				go read()
			}
		})
	}
	workers.Wait()
	close(failed)
	return <-failed
}

type footprint struct {
	memory     int64
	goroutines int
}

// takeFootprint lets the process come to rest first. Each collection halves
// the stacks that an opening handshake has stretched.
func takeFootprint(rest time.Duration) footprint {
	for range 6 {
		<-time.After(rest / 6)
		runtime.GC()
	}
	return footprintNow()
}

// footprintUnderLoad is the one in the middle of several, as what a collection
// leaves depends on the moment.
func footprintUnderLoad() footprint {
	all := make([]footprint, 5)
	for i := range all {
		runtime.GC()
		all[i] = footprintNow()
	}
	slices.SortFunc(all, func(a, b footprint) int { return cmp.Compare(a.memory, b.memory) })
	return all[len(all)/2]
}

func footprintNow() footprint {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return footprint{memory: int64(m.HeapInuse + m.StackInuse), goroutines: runtime.NumGoroutine()}
}
