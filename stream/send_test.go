package stream

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/wire"
	"github.com/wsflow/wsflow/result"
)

// An interlude is an operator that sends each message in two pieces, with
// something between them.
type interlude struct {
	link    *Link
	between func()
}

func (o *interlude) Attach(l *Link) (Hooks, error) {
	o.link = l
	return Hooks{Out: o.out}, nil
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

// stalled returns a connection to a peer that does not read, and its end.
func stalled(t *testing.T, o *Options) (*Conn, net.Conn) {
	t.Helper()
	ours, theirs := net.Pipe()
	c, err := New(ours, Client, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow(nil); theirs.Close() })
	return c, theirs
}

// "No more than a fragment beyond what the outbox has room for is framed at a time",
// with and without operators.
func TestLargeSendWaitsForRoom(t *testing.T) {
	const size, fragment = 10 << 20, 100 << 10
	for name, operators := range map[string][]Operator{"plain": nil, "operator": {&interlude{between: func() {}}}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, theirs := stalled(t, &Options{FragmentSize: fragment, Operators: operators})
				done := make(chan error, 1)
				go func() { done <- c.SendBinary(t.Context(), make([]byte, size)) }()
				synctest.Wait()
				if n := c.w.offset(); n > 2*(roomLimit+fragment+wire.MaxHeader) || n < roomLimit {
					t.Errorf("%d bytes are framed while nothing is written", n)
				}
				go io.Copy(io.Discard, theirs) // until theirs is closed
				if err := <-done; err != nil {
					t.Error(err)
				}
				if err := c.Flush(t.Context()); err != nil || c.w.offset() < size {
					t.Errorf("%d bytes were sent, %v", c.w.offset(), err)
				}
				theirs.Close()
			})
		})
	}
}

// A Send whose context ends between its fragments cannot be finished, and ends the
// connection.
func TestLargeSendWhoseContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, theirs := stalled(t, nil)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.SendBinary(short, make([]byte, 10<<20)); err != context.DeadlineExceeded {
			t.Errorf("Send returns %v", err)
		}
		<-c.Done()
		s, _ := c.Result().Status()
		if s.Sent != result.StatusInternalError || !errors.Is(s.Err, context.DeadlineExceeded) {
			t.Errorf("the status is %+v", s)
		}
		theirs.Close()
	})
}

// An operator that panics, in a goroutine that recovers, leaves no lock behind. If
// nothing of the message is queued, the connection goes on.
func TestSendAfterAPanic(t *testing.T) {
	for _, within := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer theirs.Close()
			go io.Copy(io.Discard, theirs) // until theirs is closed
			op := &panicky{within: within}
			c, err := New(ours, Client, &Options{Operators: []Operator{op}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow(nil)
			sent := func() (panicked any, err error) {
				defer func() { panicked = recover() }()
				return nil, c.SendText(t.Context(), "a message")
			}
			op.panics = true
			if panicked, _ := sent(); panicked != "the operator's" {
				t.Errorf("the panic is %v", panicked)
			}
			op.panics = false
			switch _, err := sent(); {
			case !within && err != nil:
				t.Errorf("Send after the panic returns %v", err)
			case within && !errors.Is(err, net.ErrClosed):
				t.Errorf("Send after half a message returns %v", err)
			}
			if within {
				<-c.Done()
				if s, _ := c.Result().Status(); s.Sent != result.StatusInternalError {
					t.Errorf("the status is %+v", s)
				}
			}
		})
	}
}

// A panicky operator panics before a message, or within it.
type panicky struct {
	link           *Link
	within, panics bool
}

func (o *panicky) Attach(l *Link) (Hooks, error) {
	o.link = l
	return Hooks{Out: o.out}, nil
}

func (o *panicky) out(f Frame) error {
	if !o.panics {
		return o.link.Down(f)
	}
	if o.within {
		f.Last = false
		o.link.Down(f)
	}
	panic("the operator's")
}
