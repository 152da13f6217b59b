package stream

import (
	"bytes"
	"net"
	"slices"
	"testing"

	"github.com/wsflow/wsflow/internal/wire"
)

// Whoever comes first to a control frame, the consumer or the look-ahead, shows it to
// the operators; the other passes over it.
func TestControlFramesAreShownOnce(t *testing.T) {
	var shown []string
	ours, theirs := net.Pipe()
	defer theirs.Close()
	watch := fixed{hooks: Hooks{Control: func(f Frame) error {
		shown = append(shown, f.Type.String()+" "+string(f.Payload))
		return nil
	}}}
	c, err := New(ours, Client, &Options{Operators: []Operator{watch, watch}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow(nil)
	c.r.dispatch(10, Ping, []byte("a"))
	c.r.dispatch(10, Ping, []byte("a"))
	c.r.dispatch(4, Pong, []byte("older"))
	c.r.dispatch(13, Pong, []byte("b"))
	if want := []string{"ping a", "ping a", "pong b", "pong b"}; !slices.Equal(shown, want) {
		t.Errorf("the two operators see %q, want %q", shown, want)
	}
	if s := c.Stats(); s.PingsIn != 1 || s.PongsIn != 1 || s.ControlBytesIn != 3+3 {
		t.Errorf("counted are %+v", s)
	}
}

// A masked payload is unmasked in a copy, as somebody else may be reading it.
func TestUnmaskedLeavesTheBuffer(t *testing.T) {
	const key = 0x04030201
	came := []byte("hello")
	wire.Mask(came, came, key)
	before := bytes.Clone(came)
	got := unmasked(wire.Header{Masked: true, Key: key}, came)
	if string(got) != "hello" || !bytes.Equal(came, before) {
		t.Errorf("unmasked it is %q, and the buffer has %q", got, came)
	}
	if plain := unmasked(wire.Header{}, came[:2]); &plain[0] != &came[0] || cap(plain) != 2 {
		t.Error("what is not masked was copied, or can grow over what follows")
	}
}
