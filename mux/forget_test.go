package mux

import (
	"context"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/wsflow/wsflow/stream"
)

// collects has the collector run, and returns when it has found something to be
// garbage that became so before.
func collects() {
	found := make(chan struct{})
	runtime.AddCleanup(new([64]byte), func(found chan struct{}) { close(found) }, found)
	for {
		runtime.GC()
		select {
		case <-found:
			return
		default:
			runtime.Gosched()
		}
	}
}

// Topics that somebody asked for and nobody has are forgotten; one that has a taker
// is not, although nobody has its relay.
func TestTopicsAreForgotten(t *testing.T) {
	const asked = 1000
	near, far := net.Pipe()
	conn, err := stream.New(near, stream.Client, nil)
	if err != nil {
		t.Fatal(err)
	}
	server, err := stream.New(far, stream.Server, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := New(conn, &Options[int]{Topic: func(m stream.Message) (int, bool) { return len(m.Data), true }})
	sub := m.Topic(1).Chan(context.Background(), nil)
	held := m.Topic(2)
	for key := range asked {
		m.Topic(3 + key)
	}
	remembered := func() int {
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.topics)
	}
	for range 20 {
		if collects(); remembered() == 2 {
			break
		}
	}
	if n := remembered(); n != 2 {
		t.Errorf("%d topics are remembered, want 2", n)
	}
	if m.forget(2); m.Topic(2) != held {
		t.Error("a topic has two relays")
	}
	server.SendText(context.Background(), "x")
	if got := (<-sub.C).String(); got != "x" {
		t.Errorf("the taker got %q", got)
	}
	sub.Cancel()
	server.CloseNow(nil)
	<-conn.Done()
	<-server.Done()
	runtime.KeepAlive(held)
}

// A topic that has failed is forgotten at once.
func TestFailedTopicIsForgotten(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	conn, err := stream.New(near, stream.Client, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := New(conn, &Options[int]{Topic: func(m stream.Message) (int, bool) { return 0, true }})
	sub := m.Topic(1).Chan(context.Background(), nil)
	m.Fail(1, nil)
	if _, open := <-sub.C; open || len(m.topics)+len(m.taken)+len(m.desired.all) > 0 {
		t.Error("it is remembered")
	}
	conn.CloseNow(nil)
	<-conn.Done()
}

// A topic that fails while it lingers is forgotten, also if nobody has its relay any
// more: the server refused it, and is not to be told to stop it.
func TestFailedTopicDoesNotLinger(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	conn, err := stream.New(near, stream.Client, nil)
	if err != nil {
		t.Fatal(err)
	}
	subscribed := make(chan struct{})
	m := New(conn, &Options[int]{
		Topic:       func(m stream.Message) (int, bool) { return 0, true },
		Subscribe:   func([]int) []stream.Message { close(subscribed); return nil },
		Unsubscribe: func([]int) []stream.Message { return nil },
		Linger:      time.Hour,
	})
	sub := m.Topic(1).Chan(context.Background(), nil)
	<-subscribed
	sub.Cancel()
	remembered := func() (topics, desires int) {
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.topics), len(m.desired.all)
	}
	for topics := 1; topics > 0; topics, _ = remembered() {
		collects()
	}
	if _, desires := remembered(); desires != 1 {
		t.Fatal("it does not linger")
	}
	m.Fail(1, nil)
	if _, desires := remembered(); desires > 0 {
		t.Error("it is remembered")
	}
	conn.CloseNow(nil)
	<-conn.Done()
}
