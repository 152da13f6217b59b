package main

import (
	"runtime"
	"sync"
	"time"
)

// hold opens the connections, waits until they have come to rest, and compares
// the process with what it was before. It leaves them open: the process ends.
func (j job) hold(library *library) (sample, error) {
	if err := j.open(library, 1); err != nil { // what is made once for all
		return sample{}, err
	}
	before := takeFootprint(j.Window)
	if err := j.open(library, j.Connections); err != nil {
		return sample{}, err
	}
	after := takeFootprint(j.Window)
	n := float64(j.Connections)
	return sample{
		Memory:     float64(after.memory-before.memory) / n,
		Goroutines: float64(after.goroutines-before.goroutines) / n,
	}, nil
}

// open opens n connections, a few at a time, and reads from each on a
// goroutine of its own.
func (j job) open(library *library, n int) error {
	var first []byte
	if j.Workload.Used {
		first = messages(j.Workload.Content, j.Workload.Size)[0]
	}
	var workers sync.WaitGroup
	turns := make(chan struct{}, n)
	for range n {
		turns <- struct{}{}
	}
	close(turns)
	failed := make(chan error, n)
	for range min(n, 16) {
		workers.Go(func() {
			for range turns {
				read, err := library.hold(j.target(), first)
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
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return footprint{memory: int64(m.HeapInuse + m.StackInuse), goroutines: runtime.NumGoroutine()}
}
