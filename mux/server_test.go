package mux_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/mux"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

var ctx = context.Background()

// bubble runs a test where waiting costs no time, and nothing may be left behind.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

// A server knows topics, which it is told of by "+a,b" and "-a,b". It is strict: a
// topic that is subscribed to twice, or unsubscribed from without being known on
// this connection, fails the test.
type server struct {
	t    *testing.T
	most int // messages in any second; the next one is answered with 1008; 0: any number

	mu    sync.Mutex
	conn  *stream.Conn // the last one
	knows map[string]bool
	heard []string    // all that was sent to it
	times []time.Time // of the last second
}

// accept returns the near side of a new connection.
func (s *server) accept() *stream.Conn {
	near, far := net.Pipe()
	client, err := stream.New(near, stream.Client, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	conn, err := stream.New(far, stream.Server, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.knows, s.times = conn, map[string]bool{}, nil
	go func() { // ends with the connection
		for m, err := range conn.All(ctx) {
			if err == nil && !s.hear(conn, m.String()) {
				conn.Close(result.StatusPolicyViolation, "too many messages")
			}
		}
	}()
	return client
}

// hear takes in a message. It returns false if that was one too many.
func (s *server) hear(conn *stream.Conn, text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.heard = append(s.heard, text)
	s.times = slices.DeleteFunc(s.times, func(at time.Time) bool { return now.Sub(at) >= time.Second })
	s.times = append(s.times, now)
	for _, key := range strings.Split(text[1:], ",") {
		switch known := s.knows[key]; {
		case conn != s.conn: // it is over
		case text[0] == '+' && known:
			s.t.Errorf("topic %s is subscribed to twice", key)
		case text[0] == '+':
			s.knows[key] = true
		case text[0] == '-' && !known:
			s.t.Errorf("topic %s is unsubscribed from, and was not subscribed to on this connection", key)
		case text[0] == '-':
			delete(s.knows, key)
		}
	}
	return s.most == 0 || len(s.times) <= s.most
}

// last returns the far side of the last connection.
func (s *server) last() *stream.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn
}

// topics returns what it knows, in order.
func (s *server) topics() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(slices.Sorted(maps.Keys(s.knows)), ",")
}

// wants checks what the server knows once all is at rest.
func (s *server) wants(topics string) {
	s.t.Helper()
	synctest.Wait()
	if got := s.topics(); got != topics {
		s.t.Errorf("the server knows %q, want %q", got, topics)
	}
}

// wantsHeard checks all that it was sent so far.
func (s *server) wantsHeard(texts ...string) {
	s.t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.heard, texts) {
		s.t.Errorf("the server was sent %q, want %q", s.heard, texts)
	}
}

// sends sends messages, each "topic:text".
func (s *server) sends(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if err := s.last().SendText(ctx, text); err != nil {
			s.t.Errorf("the server sends with %v", err)
		}
	}
}

func (s *server) closes() { s.last().Close(result.StatusGoingAway, "") }

// options are those for a server, with so many topics in a message.
func options(per int) *mux.Options[string] {
	spell := func(sign string) func(topics []string) []stream.Message {
		return func(topics []string) (all []stream.Message) {
			for part := range slices.Chunk(topics, per) {
				all = append(all, text(sign+strings.Join(part, ",")))
			}
			return all
		}
	}
	return &mux.Options[string]{
		Topic: func(m stream.Message) (string, bool) {
			topic, _, ok := strings.Cut(m.String(), ":")
			return topic, ok
		},
		Subscribe:   spell("+"),
		Unsubscribe: spell("-"),
	}
}

func text(s string) stream.Message { return stream.Message{Type: stream.Text, Data: []byte(s)} }

// A relink is a link with one connection after another.
type relink struct {
	*stream.Relay
	feeder *stream.Feeder
	server *server

	mu    sync.Mutex
	conn  *stream.Conn // nil in a gap
	moved chan struct{}
	epoch uint64
}

func newRelink(s *server) *relink {
	l := &relink{server: s, moved: make(chan struct{})}
	l.Relay, l.feeder = stream.NewRelay(nil)
	return l
}

// open opens the next connection.
func (l *relink) open() {
	conn := l.server.accept()
	l.mu.Lock()
	l.epoch++
	epoch := l.epoch
	l.mu.Unlock()
	if epoch > 1 {
		l.notify(epoch, &stream.Gap{From: epoch - 1, To: epoch})
	}
	_, err := l.feeder.Join(conn, &stream.JoinOptions{
		Origin: stream.Origin{Epoch: epoch},
		Ended: func(st result.Status) {
			l.set(nil)
			l.notify(epoch, &stream.Gap{From: epoch, Status: st})
		},
	})
	if err != nil {
		l.server.t.Error(err)
	}
	l.set(conn)
}

func (l *relink) notify(epoch uint64, g *stream.Gap) {
	if err := l.feeder.Notify(ctx, &stream.Origin{Epoch: epoch}, g); err != nil {
		l.server.t.Error(err)
	}
}

func (l *relink) set(conn *stream.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = conn
	close(l.moved)
	l.moved = make(chan struct{})
}

func (l *relink) Ready(ctx context.Context) (*stream.Conn, error) {
	for {
		l.mu.Lock()
		conn, moved := l.conn, l.moved
		l.mu.Unlock()
		if conn != nil {
			return conn, nil
		}
		select {
		case <-moved:
		case <-l.Done():
			return nil, net.ErrClosed
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (l *relink) Send(ctx context.Context, m stream.Message) error {
	return fmt.Errorf("a mux that knows the connection sends on it, and not %q", m)
}
