package mux

import (
	"errors"
	"io"
	"testing"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// settledWith checks that a call has its answer, or none yet.
func settledWith(t *testing.T, c *call, text string, err error) {
	t.Helper()
	select {
	case got := <-c.settled:
		if got.m.String() != text || got.err != err {
			t.Errorf("it was settled with %q, %v; want %q, %v", got.m, got.err, text, err)
		}
	default:
		if text != "" || err != nil {
			t.Errorf("it is not settled, want %q, %v", text, err)
		}
	}
}

func mustAdd(t *testing.T, cs *calls[string], key string, conn <-chan struct{}) *call {
	t.Helper()
	c, err := cs.add(key, conn)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCallsGetTheirAnswers(t *testing.T) {
	var cs calls[string]
	alive := make(chan struct{})
	a, b := mustAdd(t, &cs, "a", alive), mustAdd(t, &cs, "b", alive)
	lent := []byte("for b")
	if !cs.answer("b", stream.Message{Type: stream.Text, Data: lent}) || cs.answer("c", stream.Message{}) {
		t.Error("an answer went astray")
	}
	lent[0] = 'x' // the answer is the caller's own
	settledWith(t, a, "", nil)
	settledWith(t, b, "for b", nil)
	if cs.answer("b", stream.Message{}) {
		t.Error("one request has two answers")
	}
	cs.remove("a", a)
	if cs.answer("a", stream.Message{}) {
		t.Error("an answer was given to a request that waits no more")
	}
	again := mustAdd(t, &cs, "a", alive)
	cs.remove("a", a) // that was the former one
	if !cs.answer("a", stream.Message{Data: []byte("a")}) {
		t.Error("the former request took the later one with it")
	}
	settledWith(t, again, "a", nil)
}

func TestCallsAreLostWithTheirConnection(t *testing.T) {
	var cs calls[string]
	dead, alive := make(chan struct{}), make(chan struct{})
	a, b := mustAdd(t, &cs, "a", dead), mustAdd(t, &cs, "b", alive)
	cs.lose(io.EOF)
	settledWith(t, a, "", nil)
	close(dead)
	cs.lose(io.EOF)
	settledWith(t, a, "", io.EOF)
	settledWith(t, b, "", nil)
	cs.end(io.ErrClosedPipe)
	settledWith(t, b, "", io.ErrClosedPipe)
	if _, err := cs.add("c", alive); err != io.ErrClosedPipe {
		t.Errorf("a request after the end fails with %v", err)
	}
}

func TestCallsKeepTheirKeysApart(t *testing.T) {
	var cs calls[string]
	a := mustAdd(t, &cs, "a", nil)
	var argument *result.ArgumentError
	if _, err := cs.add("a", nil); !errors.As(err, &argument) {
		t.Errorf("a second request with the same key fails with %v", err)
	}
	cs.answer("a", stream.Message{Data: []byte("first")})
	settledWith(t, a, "first", nil)
	mustAdd(t, &cs, "a", nil)
}
