package stream

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// An asked drives a pings, and tells which Pings have an answer.
type asked struct {
	pings
	all []*ping
}

func (a *asked) ask(at time.Duration) { a.all = append(a.all, a.add(at)) }

func (a *asked) String() (s string) {
	for _, p := range a.all {
		if closed(p.answered) {
			s += fmt.Sprintf(" %d:%d", p.number, p.took)
		}
	}
	return s
}

func TestPongEndsItsPing(t *testing.T) {
	var a asked
	want := func(what, want string) {
		t.Helper()
		if got := a.String(); got != want {
			t.Errorf("%s: answered are%s, want%s", what, got, want)
		}
	}
	a.answer(pingPayload(0), 0)
	a.answer(pingPayload(1), 0)
	want("before any Ping", "")
	a.ask(10)
	a.ask(20)
	a.ask(30)
	a.ask(40)
	for _, foreign := range []string{"", pingMark, "wsflow\x00", "wsflow\x00\x00\x00\x00\x00\x00\x00\x01\x00", "WSFLOW\x00\x00\x00\x00\x00\x00\x00\x01", "\x00\x00\x00\x00\x00\x00\x00\x01"} {
		a.answer([]byte(foreign), 100)
	}
	a.answer(pingPayload(5), 100)
	a.answer(pingPayload(1<<63), 100)
	want("what answers none of them", "")
	a.answer(pingPayload(2), 19)
	want("a Pong that was there before its Ping", " 1:9")
	a.answer(pingPayload(3), 100)
	want("a Pong to the last but one", " 1:9 2:80 3:70")
	a.answer(pingPayload(1), 101)
	a.answer(pingPayload(3), 101)
	want("once more", " 1:9 2:80 3:70")
	a.drop(a.all[3])
	a.answer(pingPayload(4), 102)
	want("a Pong that nobody waits for", " 1:9 2:80 3:70")
	if len(a.waiting) > 0 {
		t.Errorf("%d Pings wait", len(a.waiting))
	}
}

// A Ping that nobody waits for any more is forgotten.
func TestEndedPingsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		c, err := New(ours, Client, nil)
		if err != nil {
			t.Fatal(err)
		}
		go io.Copy(io.Discard, theirs) // until theirs is closed
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := c.Ping(ctx); err == nil {
				t.Error("a Ping without a Pong succeeds")
			}
			cancel()
		}
		if n := len(c.pings.Load().waiting); n > 0 {
			t.Errorf("%d Pings wait, of which nobody does", n)
		}
		c.CloseNow(nil)
		theirs.Close()
		<-c.Done()
	})
}
