package main

import (
	"fmt"
	"time"
)

// dialsAtOnce is how many connections of a fleet are opened at the same time.
const dialsAtOnce = 64

// fleet opens the connections, has the server begin to send on all of them, and
// takes what comes in one place. It looks at the memory while messages go on
// coming. The server cuts the connections off, which gives their ports back.
func (j job) fleet(library *library) (sample, error) {
	all := library.gather()
	silent := j.target()
	silent.Path = "/hold?" + j.ask().encode()
	first := func() (func() error, error) { return all.join(silent) }
	if err := open(1, 1, first); err != nil { // what is made once for all
		return sample{}, err
	}
	before, resident := takeFootprint(j.Window), residentNow()
	failed := make(chan error, 1)
	dials, err := j.enlist(all, failed)
	if err != nil {
		return sample{}, err
	}
	if err := boundReceiveBuffers(); err != nil {
		return sample{}, err
	}
	found, err := j.sail(all, failed)
	if err != nil {
		return sample{}, err
	}
	n := float64(j.Connections)
	after := footprintUnderLoad()
	found.Dials, found.DialCPU = dials.Rate, dials.CPU
	found.Memory = float64(after.memory-before.memory) / n
	found.Goroutines = float64(after.goroutines-before.goroutines) / n
	found.Resident = float64(max(0, residentPeak()-resident)) / n
	select {
	case err := <-failed:
		return sample{}, err
	default:
	}
	_, err = j.count("/dismiss")
	return found, err
}

// enlist opens all connections. It returns how many were opened in a second,
// and what one took.
func (j job) enlist(all gathering, failed chan<- error) (dials sample, err error) {
	t := j.target()
	began, cpu := time.Now(), cpuTime()
	err = open(j.Connections, dialsAtOnce, func() (func() error, error) {
		pass, err := all.join(t)
		return func() error {
			err := fmt.Errorf("bench: a connection of the fleet ended: %v", pass())
			select {
			case failed <- err:
			default: // one is enough
			}
			return err
		}, err
	})
	n := float64(j.Connections)
	return sample{Rate: n / time.Since(began).Seconds(), CPU: float64(cpuTime()-cpu) / n}, err
}

// sail takes messages for a window. Messages are taken after it as well, until
// the process ends.
func (j job) sail(all gathering, failed <-chan error) (sample, error) {
	tally := newTally(j.Window)
	tally.warmUp = 2 * j.Window // what is kept for slow takers has grown by then
	take, delays := tally.take, &delays{tally: tally}
	if j.Workload.Paced {
		tally.warmUp += j.Every // each connection has taken one
		take = delays.take
	}
	measured := make(chan struct{})
	go func() {
		all.each(take)
		close(measured)
		all.each(func([]byte) bool { return true })
	}()
	if _, err := j.count("/start"); err != nil {
		return sample{}, err
	}
	select {
	case <-measured:
	case err := <-failed:
		return sample{}, err
	}
	found, err := tally.sample()
	found.P50, found.P99 = delays.quantile(0.5), delays.quantile(0.99)
	return found, err
}
