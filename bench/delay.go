package main

import (
	"slices"
	"time"
)

// delays takes messages that the server has stamped, and notes how old each is
// that comes within the tally's window.
type delays struct {
	tally *tally
	all   []time.Duration
}

func (d *delays) take(message []byte) bool {
	now := time.Now()
	counted := d.tally.counting()
	more := d.tally.take(message)
	if counted {
		d.all = append(d.all, age(message, now))
	}
	return more
}

// quantile returns the delay in nanoseconds that this part of the messages does
// not exceed; 0 of none.
func (d *delays) quantile(part float64) float64 {
	if len(d.all) == 0 {
		return 0
	}
	slices.Sort(d.all)
	return float64(d.all[int(part*float64(len(d.all)-1))])
}
