package redial_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/redial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	ctx  = context.Background()
	none context.Context // which is refused
)

// bubble runs a subtest in a bubble of its own, where waiting costs no time.
func bubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

// A dialFunc is a dial of redial.New.
type dialFunc = func(context.Context) (*stream.Conn, error)

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// A server is one whose connections a test scripts.
type server struct {
	t     *testing.T
	peers chan *script.Peer
	dials atomic.Int64
	fail  atomic.Pointer[error] // what the next dials end with; nil for none
}

func newServer(t *testing.T) *server { return &server{t: t, peers: make(chan *script.Peer, 100)} }

// dial connects over memory.
func (s *server) dial(context.Context) (*stream.Conn, error) {
	s.dials.Add(1)
	if err := s.fail.Load(); err != nil {
		return nil, *err
	}
	near, far := net.Pipe()
	s.peers <- script.On(s.t, far, stream.Client)
	return stream.New(near, stream.Client, nil)
}

// fails makes all dials fail, or with nil none.
func (s *server) fails(err error) {
	if err == nil {
		s.fail.Store(nil)
		return
	}
	s.fail.Store(&err)
}

// dialer returns a dial over TCP.
func dialer(url string) dialFunc {
	return func(ctx context.Context) (*stream.Conn, error) {
		return dial.Dial(ctx, url, &dial.Options{Operators: []stream.Operator{}})
	}
}

// next returns the next message or Notice of the source.
func next(t *testing.T, s *redial.Source) stream.Message {
	t.Helper()
	for m, err := range s.All(ctx) {
		if err != nil {
			t.Fatalf("wanted a message, the source ended with %v", err)
		}
		return m.Clone()
	}
	t.Fatal("wanted a message, the source ended")
	return stream.Message{}
}

// wantMessage wants a text message next, of this epoch.
func wantMessage(t *testing.T, s *redial.Source, text string, epoch uint64) {
	t.Helper()
	if m := next(t, s); m.String() != text || m.Type != stream.Text || m.Origin().Epoch != epoch {
		t.Fatalf("%v %q of %+v came, want %q of epoch %d", m.Type, m, m.Origin(), text, epoch)
	}
}

// wantGap wants a Notice next, of a gap from one epoch to another.
func wantGap(t *testing.T, s *redial.Source, from, to uint64) *stream.Gap {
	t.Helper()
	m := next(t, s)
	gap := m.Gap()
	if m.Type != stream.Notice || gap == nil || gap.From != from || gap.To != to {
		t.Fatalf("%v %q with %+v came, want a gap from %d to %d", m.Type, m, gap, from, to)
	}
	return gap
}

// ends waits for the end of the source.
func ends(t *testing.T, s *redial.Source) (result.Status, error) {
	t.Helper()
	return s.Result().Wait(ctx)
}
