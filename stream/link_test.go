package stream

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/wsflow/wsflow/result"
)

// A fixed operator attaches as it is told.
type fixed struct {
	hooks          Hooks
	invalid, fails error
}

func (f fixed) Validate() error             { return f.invalid }
func (f fixed) Attach(*Link) (Hooks, error) { return f.hooks, f.fails }

func attached(t *testing.T, operators ...Operator) (*Conn, error) {
	ours, theirs := net.Pipe()
	t.Cleanup(func() { theirs.Close() })
	return New(ours, Client, &Options{Operators: operators})
}

// An operator that cannot be attached keeps the connection from starting.
func TestAttachRefuses(t *testing.T) {
	mine := errors.New("of the operator")
	for want, operators := range map[string][]Operator{
		"stream.Options.Operators[1]": {fixed{}, nil},
		"of the operator":             {fixed{}, fixed{invalid: mine}},
		"of the operator ":            {fixed{fails: mine}},
		"operator owns is 8":          {fixed{hooks: Hooks{RSV: 8}}},
		"operator owns is 6":          {fixed{hooks: Hooks{RSV: 4}}, fixed{hooks: Hooks{RSV: 6}}},
	} {
		if _, err := attached(t, operators...); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("the error is %v, want one with %q", err, want)
		}
	}
}

// What operators show is found by its type, that of the first one first.
func TestOperatorState(t *testing.T) {
	type counts struct{ n int }
	c, err := attached(t, fixed{}, fixed{hooks: Hooks{State: &counts{1}}}, fixed{hooks: Hooks{State: &counts{2}}}, fixed{hooks: Hooks{State: "text"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow(nil)
	if got, ok := OperatorState[*counts](c); !ok || got.n != 1 {
		t.Errorf("found %v, %t", got, ok)
	}
	if got, ok := OperatorState[string](c); !ok || got != "text" {
		t.Errorf("found %q, %t", got, ok)
	}
	if got, ok := OperatorState[int](c); ok {
		t.Errorf("found %d, which nobody shows", got)
	}
}

// Control sends Pings and Pongs of up to 125 bytes, and nothing once the connection
// has begun to close.
func TestLinkControl(t *testing.T) {
	c, err := attached(t, fixed{})
	if err != nil {
		t.Fatal(err)
	}
	l := &c.links[0]
	for _, bad := range []struct {
		t Type
		n int
	}{{Text, 0}, {Close, 0}, {Ping | Verbatim, 0}, {Ping, 126}} {
		if err := l.Control(bad.t, make([]byte, bad.n)); !errors.As(err, new(*result.ArgumentError)) {
			t.Errorf("%v of %d bytes: error %v", bad.t, bad.n, err)
		}
	}
	if err := l.Control(Pong, make([]byte, 125)); err != nil {
		t.Error(err)
	}
	c.CloseNow(nil)
	if err := l.Control(Ping, nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after the end: error %v", err)
	}
}
