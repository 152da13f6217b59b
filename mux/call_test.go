package mux_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/mux"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A called is what Call returned.
type called struct {
	m   stream.Message
	err error
}

// call calls in the background.
func call(ctx context.Context, m *mux.Mux[string], key string) <-chan called {
	done := make(chan called, 1)
	go func() {
		m, err := m.Call(ctx, key, text("?"+key))
		done <- called{m, err}
	}()
	synctest.Wait()
	return done
}

// answers checks that a call has this answer.
func answers(t *testing.T, c <-chan called, want string) {
	t.Helper()
	if got := <-c; got.err != nil || got.m.String() != want {
		t.Errorf("the answer is %q, %v; want %q", got.m, got.err, want)
	}
}

// Answers find their requests in any order, and topics do not get them.
func TestCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, m := plain(t, options(1))
		topic := m.Topic("1").Chan(ctx, nil)
		s.wantsHeard("+1")
		one, two := call(ctx, m, "1"), call(ctx, m, "2")
		s.wantsHeard("+1", "?1", "?2")
		s.sends("2:answer", "1:answer", "1:message")
		answers(t, two, "2:answer")
		answers(t, one, "1:answer")
		gets(t, topic, "1:message")
	})
}

// Many calls at once.
func TestCallsInParallel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, m := plain(t, options(1))
		const n = 200
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				key := fmt.Sprint(i)
				got, err := m.Call(ctx, key, text("?"+key))
				if err != nil || got.String() != key+":" {
					t.Errorf("call %s returns %q, %v", key, got, err)
				}
			})
		}
		synctest.Wait()
		if len(s.heard) != n {
			t.Fatalf("%d requests came, want %d", len(s.heard), n)
		}
		for _, request := range s.heard {
			s.sends(request[1:] + ":")
		}
		all.Wait()
	})
}

// A call ends with its context; what comes later is dropped, and another call may have
// its key.
func TestCallIsCancelled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, m := plain(t, options(1))
		mine := errors.New("enough")
		inner, cancel := context.WithTimeoutCause(ctx, time.Second, mine)
		defer cancel()
		if got := <-call(inner, m, "1"); got.err != mine {
			t.Errorf("it returns %q, %v", got.m, got.err)
		}
		inner, cancel = context.WithCancel(ctx)
		cancel()
		if got := <-call(inner, m, "2"); got.err != context.Canceled {
			t.Errorf("it returns %q, %v", got.m, got.err)
		}
		s.sends("2:late")
		synctest.Wait()
		again := call(ctx, m, "1")
		var argument *result.ArgumentError
		if got := <-call(ctx, m, "1"); !errors.As(got.err, &argument) {
			t.Errorf("a second call with the key returns %q, %v", got.m, got.err)
		}
		s.sends("1:answer")
		answers(t, again, "1:answer")
		var without context.Context
		if _, err := m.Call(without, "2", text("?2")); !errors.As(err, &argument) {
			t.Errorf("without a context it returns %v", err)
		}
	})
}

// A call waits for the first connection, fails with the one that it went out on, and
// at once in a gap.
func TestCallOverGaps(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := &server{t: t}
		l := newRelink(s)
		m := mux.New(l, options(1))
		one := call(ctx, m, "1")
		l.open()
		s.wantsHeard("?1")
		s.sends("1:answer")
		answers(t, one, "1:answer")

		two, three := call(ctx, m, "2"), call(ctx, m, "3")
		s.sends("3:answer")
		s.closes()
		answers(t, three, "3:answer") // it was on its way
		var closed *result.CloseError
		if got := <-two; !errors.As(got.err, &closed) || !strings.Contains(got.err.Error(), "before the answer came") {
			t.Errorf("it returns %q, %v", got.m, got.err)
		}
		if got := <-call(ctx, m, "4"); got.err == nil {
			t.Errorf("in a gap it returns %q", got.m)
		}
		l.open()
		synctest.Wait()
		five := call(ctx, m, "5")
		s.sends("5:answer")
		answers(t, five, "5:answer")

		six := call(ctx, m, "6")
		s.last().Close(1000, "")
		synctest.Wait()
		l.feeder.End(result.Status{Code: 1000})
		if got := <-six; got.err == nil {
			t.Errorf("after the end it returns %q", got.m)
		}
		if got := <-call(ctx, m, "7"); got.err == nil {
			t.Errorf("long after the end it returns %q", got.m)
		}
	})
}

// A mux whose link never had a connection fails its calls with it.
func TestCallWithoutAConnection(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newRelink(&server{t: t})
		one := call(ctx, mux.New(l, options(1)), "1")
		refused := errors.New("refused")
		l.feeder.End(result.Status{Code: 1006, Err: refused})
		if got := <-one; !errors.Is(got.err, refused) {
			t.Errorf("it returns %q, %v", got.m, got.err)
		}
	})
}

// A call ends with its connection, however that ends.
func TestCallEndsWithItsConnection(t *testing.T) {
	for _, code := range []result.StatusCode{1000, 1001} {
		bubble(t, func(t *testing.T) {
			s, m := plain(t, options(1))
			one, two := call(ctx, m, "1"), call(ctx, m, "2")
			s.sends("2:answer")
			s.last().Close(code, "")
			answers(t, two, "2:answer")
			var closed *result.CloseError
			if got := <-one; got.err == nil || errors.As(got.err, &closed) != (code == 1001) {
				t.Errorf("it returns %q, %v", got.m, got.err)
			}
		})
	}
}
