package jetstream

import (
	"bytes"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wsflow/wsflow/feed"
	"github.com/wsflow/wsflow/feed/jetstream/embedded"
	"github.com/wsflow/wsflow/feed/storetest"
)

const tooMuch = 8<<20 + 1 // bytes, for the embedded server

// serve starts an embedded server.
func serve(t testing.TB) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(&embedded.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// connect returns a client of a server.
func connect(t testing.TB, s *embedded.Server, options ...nats.Option) jetstream.JetStream {
	t.Helper()
	nc, err := s.Connect(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(30*time.Second)) // on a busy machine, too
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// create makes a stream.
func create(t testing.TB, js jetstream.JetStream, settings jetstream.StreamConfig) {
	t.Helper()
	if _, err := js.CreateOrUpdateStream(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
}

// open returns one worker's view of a stream.
func open(t testing.TB, js jetstream.JetStream, stream string) *Store {
	t.Helper()
	s, err := NewStore(t.Context(), js, stream)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// read returns what is stored of feeds.
func read(t testing.TB, s *Store, feeds ...string) (all []feed.Record) {
	t.Helper()
	for r, err := range s.Records(t.Context(), feeds...) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// follow reads what is stored in the stream FEEDS, and what comes.
func follow(t testing.TB, js jetstream.JetStream) jetstream.MessagesContext {
	t.Helper()
	c, err := js.OrderedConsumer(t.Context(), "FEEDS", jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	messages, err := c.Messages()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(messages.Stop)
	return messages
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Arrangement {
		server := serve(t)
		js := connect(t, server)
		create(t, js, Settings("FEEDS"))
		reader := open(t, js, "FEEDS")
		ears := map[feed.Store]*ear{}
		return storetest.Arrangement{
			Open: func() feed.Store {
				e := &ear{Server: server}
				s := open(t, connect(t, server, nats.InProcessServer(e), nats.ReconnectWait(time.Millisecond)), "FEEDS")
				ears[s] = e
				return s
			},
			Read:     func(name string) []feed.Record { return read(t, reader, name) },
			Lose:     func(s feed.Store) { ears[s].deaf.Store(true) },
			Oversize: tooMuch,
		}
	})
}

// An ear is a client's way to a server. When it is deaf, the client does not hear
// the answer to the next batch, and its connection is lost.
type ear struct {
	*embedded.Server
	deaf atomic.Bool
}

func (e *ear) InProcessConn() (net.Conn, error) {
	c, err := e.Server.InProcessConn()
	return &deafConn{c, e}, err
}

type deafConn struct {
	net.Conn
	*ear
}

func (c *deafConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if bytes.Contains(p[:n], []byte(`"batch":`)) && c.deaf.CompareAndSwap(true, false) {
		c.Close()
		return 0, net.ErrClosed
	}
	return n, err
}
