package stream

import (
	"errors"
	"net"
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
		op.between = func() { c.w.broke(cut) } // the writer has come so far in writeFailed
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
