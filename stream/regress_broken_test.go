package stream

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
)

// An interlude is an operator that sends each message in two pieces, with
// something between them.
type interlude struct {
	link    *Link
	between func()
}

func (o *interlude) Attach(l *Link) (Taps, error) {
	o.link = l
	return Taps{Out: o.out}, nil
}

func (o *interlude) out(f Frame) error {
	half := f
	half.Last, half.Payload = false, f.Payload[:len(f.Payload)/2]
	if err := o.link.Down(half); err != nil {
		return err
	}
	o.between()
	f.First, f.Payload = false, f.Payload[len(half.Payload):]
	return o.link.Down(f)
}

// A wire that breaks while a message is being sent is the cause of the
// connection's end: the refusal of the message's rest does not cover it.
func TestBrokenWireIsTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut := errors.New("the wire is cut")
		ours, theirs := net.Pipe()
		defer theirs.Close()
		op := &interlude{}
		c, err := New(ours, Client, &Options{Operators: []Operator{op}})
		if err != nil {
			t.Fatal(err)
		}
		op.between = c.w.broke // the writer has come so far in writeFailed
		if err := c.SendText(t.Context(), "in two pieces"); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the message was refused with %v", err)
		}
		c.writeFailed(cut)
		<-c.Done()
		if s, _ := c.Result().Status(); !errors.Is(s.Err, cut) {
			t.Errorf("the connection ended with %v, want the wire's error in it", s.Err)
		}
		c.CloseNow(nil)
	})
}

// Nothing follows the fragments of a message that was given up: those who wait
// for their turn meanwhile are refused, even if the end is slow to begin.
func TestNothingFollowsAnUnfinishedMessage(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	go io.Copy(io.Discard, theirs) // until it is closed
	c, err := New(ours, Client, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow(nil)
	inner, cancel := context.WithCancel(t.Context())
	w, err := c.Writer(inner, Binary)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(make([]byte, gather)) // one fragment
	sent, ended := make(chan error), make(chan error)
	go func() { sent <- c.SendText(t.Context(), "waits for its turn") }()
	cancel()
	c.close.mu.Lock()
	go func() { ended <- w.Close() }()
	for range 100_000 {
		runtime.Gosched() // the end cannot begin: time for others to slip in
	}
	c.close.mu.Unlock()
	if err := <-sent; !errors.Is(err, net.ErrClosed) {
		t.Errorf("the message behind the unfinished one was sent, with %v", err)
	}
	if err := <-ended; err != context.Canceled {
		t.Errorf("the Writer's Close gives %v", err)
	}
}
