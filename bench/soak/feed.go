package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/wsflow/wsflow/stream"
)

// feed sends the numbers from the query's "from" up to its "to", each in a message
// of its own, and closes with 1000. With "cuts" it ends before that, more often than
// not, in whatever way.
func (s *server) feed(c *session, r *http.Request) {
	from, to := number(r, "from"), number(r, "to")
	cut := to
	if r.FormValue("cuts") != "" {
		cut = min(to, from+1+c.random.Uint64N(2*cutsAfter))
	}
	pad := fmt.Sprintf(" %0*d", c.random.IntN(200), 0)
	for n := from; n < cut; n++ {
		if c.random.IntN(100) == 0 {
			time.Sleep(time.Duration(c.random.IntN(2000)) * time.Microsecond)
		}
		if c.SendText(context.Background(), strconv.FormatUint(n, 10)+pad) != nil {
			return
		}
	}
	if cut == to {
		c.Close(1000, "")
		return
	}
	ways[c.random.IntN(len(ways))](c)
}

// cutsAfter is after how many messages a feed is cut, in the middle.
const cutsAfter = 2000

// ways are the ways in which a connection ends too early.
var ways = []func(c *session){
	func(c *session) { c.Close(1001, "") },
	func(c *session) { c.Close(1012, "") },
	func(c *session) { c.Flush(context.Background()); c.CloseNow(nil) },
	func(c *session) { c.CloseNow(nil) },
	func(c *session) { // in the middle of a frame
		c.Flush(context.Background())
		c.socket.Write([]byte{0x81, 0x7e, 0x01})
		c.CloseNow(nil)
	},
	func(c *session) { // RST
		c.Flush(context.Background())
		c.socket.(*net.TCPConn).SetLinger(0)
		c.CloseNow(nil)
	},
}

// number reads a parameter.
func number(r *http.Request, name string) uint64 {
	n, err := strconv.ParseUint(r.FormValue(name), 10, 64)
	if err != nil {
		panic(err) // both sides are this program's
	}
	return n
}

// A sequence checks that numbers come one after the other.
type sequence struct {
	name   string
	next   uint64
	broken bool // a check has failed
}

// take takes the next message, before which some may be missing.
func (q *sequence) take(m stream.Message, missing uint64) error {
	var n uint64
	if _, err := fmt.Sscanf(m.String(), "%d ", &n); err != nil {
		q.broken = true
		return fmt.Errorf("%s: the message %.20q has no number", q.name, m)
	}
	if want := q.next + missing; n != want {
		q.broken = true
		return fmt.Errorf("%s: number %d came, want %d", q.name, n, want)
	}
	q.next = n + 1
	return nil
}

// ends checks that all have come.
func (q *sequence) ends(to uint64) error {
	if q.next != to {
		return fmt.Errorf("%s: it ended well with %d of %d messages", q.name, q.next, to)
	}
	return nil
}

// took counts a message and checks its number, unless it is a Notice.
func (w *world) took(q *sequence, m stream.Message) error {
	if m.Type == stream.Notice {
		return nil
	}
	w.messages.Add(1)
	return q.take(m, 0)
}

// dawdle is what a slow consumer does now and then.
func dawdle(random *rand.Rand) {
	if random.IntN(500) == 0 {
		time.Sleep(time.Duration(random.IntN(3000)) * time.Microsecond)
	}
}
