package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

const laps = 5

// A ring is the state of the program. Its methods run on the loop, one at a
// time, and so do the functions that ready, closed and failed return.
type ring struct {
	loop  dial.Loop
	pause time.Duration
	out   io.Writer
	cut   func() // ends all connections at once
	stop  func() // ends the loop

	conns     []*stream.Conn
	ends      []string
	errs      []error
	open      int // connections that have been opened
	ended     int // connections that have ended
	lap, hops int
	enough    bool // all laps are done
}

func newRing(size int, pause time.Duration, out io.Writer, cut, stop func()) *ring {
	return &ring{
		pause: pause, out: out, cut: cut, stop: stop,
		conns: make([]*stream.Conn, size),
		ends:  make([]string, size),
		errs:  make([]error, size),
	}
}

// ready returns what is called when a connection is open. The last one starts
// the timer.
func (r *ring) ready(i int) func(*stream.Conn) error {
	return func(conn *stream.Conn) error {
		conn.OnText(func(token string) { r.back(i, token) })
		r.conns[i] = conn
		if r.open++; r.open == len(r.conns) {
			r.wait()
		}
		return nil
	}
}

// wait starts the timer for the next lap.
func (r *ring) wait() {
	time.AfterFunc(r.pause, func() { r.loop.Post(r.tick) })
}

// tick starts a lap.
func (r *ring) tick() {
	r.lap++
	r.send(0, fmt.Sprintf("token %d", r.lap))
}

// back is called when the token has come back from a server.
func (r *ring) back(i int, token string) {
	r.hops++
	switch {
	case i+1 < len(r.conns):
		r.send(i+1, token)
	case r.lap < laps:
		fmt.Fprintf(r.out, "%s is round: %d hops\n", token, r.hops)
		r.wait()
	default:
		fmt.Fprintf(r.out, "%s is round: %d hops, enough\n", token, r.hops)
		r.enough = true
		for _, conn := range r.conns {
			conn.Close(result.StatusNormalClosure, "enough")
		}
	}
}

// send passes the token on. If the connection has ended, that tells why.
func (r *ring) send(i int, token string) {
	r.conns[i].SendText(context.Background(), token)
}

// closed returns what is called when a connection has ended with a success.
func (r *ring) closed(i int) func(result.Status) {
	return func(s result.Status) {
		r.ends[i] = fmt.Sprintf("[%d, %s]", s.Code, s.Reason)
		r.end()
	}
}

// failed returns what is called when a connection could not be made or has
// ended otherwise.
func (r *ring) failed(i int) func(error) {
	return func(err error) {
		r.errs[i] = err
		r.end()
	}
}

// end counts the connections that have ended. The last one stops the loop. One
// that ends too early breaks the ring.
func (r *ring) end() {
	if !r.enough {
		r.cut()
	}
	if r.ended++; r.ended == len(r.conns) {
		r.stop()
	}
}

// report prints how the connections ended, once they have, and returns the exit
// status.
func (r *ring) report(stderr io.Writer) (status int) {
	for i, err := range r.errs {
		if err != nil {
			fmt.Fprintf(stderr, "oneloop: connection %d: %v\n", i+1, err)
			status = 1
		} else {
			fmt.Fprintf(r.out, "connection %d: %s\n", i+1, r.ends[i])
		}
	}
	return status
}
