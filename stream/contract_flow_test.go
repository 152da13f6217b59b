package stream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// logs returns a logger with a field of its own, and what it has logged as a
// warning or worse.
func logs() (*zap.Logger, *observer.ObservedLogs) {
	core, seen := observer.New(zapcore.WarnLevel)
	return zap.New(core).With(zap.String("of", "this connection")), seen
}

// "Observable: at most one error item, last, then closed; a clean end carries
// no item. [...] No message is lost before the first subscriber."
func TestContract06Observable(t *testing.T) {
	faces := map[string]func(*stream.Conn) rxgo.Observable{
		"Observable":        func(c *stream.Conn) rxgo.Observable { return c.Observable(nil) },
		"ObservableBatches": func(c *stream.Conn) rxgo.Observable { return c.ObservableBatches(nil) },
	}
	for name, observable := range faces {
		for _, code := range []int{1000, 1005, 1001, 4000} {
			bubble(t, fmt.Sprintf("%s/%d", name, code), func(t *testing.T) {
				p := script.Client(t, nil)
				o := observable(p.Conn)
				p.Sends(script.Text("a"))
				synctest.Wait()
				items := o.Observe(rxgo.WithContext(t.Context()))
				if item := within(t, "the message", items); item.E != nil || !strings.Contains(fmt.Sprint(item.V), "a") {
					t.Errorf("the first item is %+v", item)
				}
				if code == 1005 {
					p.Sends(script.CloseEmpty())
				} else {
					p.Sends(script.Close(code, ""))
				}
				rest := drain(t, name, items)
				if code == 1000 || code == 1005 {
					if len(rest) > 0 {
						t.Errorf("a clean end carries %v", rest)
					}
					return
				}
				if len(rest) != 1 {
					t.Fatalf("the end carries %v, want one error", rest)
				}
				isCloseError(t, rest[0].E, code, "")
			})
		}
		bubble(t, name+"/an observer that stops holds nobody up once its context ends", func(t *testing.T) {
			p := script.Client(t, nil)
			inner, cancel := context.WithCancel(ctx)
			observable(p.Conn).Observe(rxgo.WithContext(inner))
			other := p.Conn.Chan(t.Context(), nil)
			p.Sends(manyFrames(2000)...)
			synctest.Wait()
			cancel()
			for _, want := range manyMessages(2000) {
				sameMessages(t, []stream.Message{within(t, "a message", other.C)}, []stream.Message{want})
			}
		})
		bubble(t, name+"/each observer gets everything", func(t *testing.T) {
			p := script.Client(t, nil)
			o := observable(p.Conn)
			one, two := o.Observe(rxgo.WithContext(t.Context())), o.Observe(rxgo.WithContext(t.Context()))
			synctest.Wait()
			p.Sends(script.Text("a"))
			within(t, "the first observer's", one)
			within(t, "the second observer's", two)
		})
	}
}

// "Each subscriber has its own bounded queue and policy (Block, the default;
// DropOldest, DropNewest, Latest, Fail) with counters; a slow one holds up only
// those that chose Block."
func TestContract06Policies(t *testing.T) {
	const sent = 20
	policies := []struct {
		name        string
		queue       *stream.SubscribeOptions
		first, last int // of the messages that come, in a row
		slow        bool
	}{
		{"Block", &stream.SubscribeOptions{Size: 4}, 0, 19, false},
		{"Block, by default", nil, 0, 19, false},
		{"DropOldest", &stream.SubscribeOptions{Size: 4, Policy: stream.DropOldest}, 16, 19, false},
		{"DropNewest", &stream.SubscribeOptions{Size: 4, Policy: stream.DropNewest}, 0, 3, false},
		{"Latest", &stream.SubscribeOptions{Size: 4, Policy: stream.Latest}, 19, 19, false},
		{"Fail", &stream.SubscribeOptions{Size: 4, Policy: stream.Fail}, 0, 3, true},
		{"DropOldest that holds all", &stream.SubscribeOptions{Size: sent, Policy: stream.DropOldest}, 0, 19, false},
		{"DropNewest that holds all", &stream.SubscribeOptions{Size: sent, Policy: stream.DropNewest}, 0, 19, false},
		{"Fail that holds all", &stream.SubscribeOptions{Size: sent, Policy: stream.Fail}, 0, 19, false},
	}
	for _, test := range policies {
		bubble(t, test.name, func(t *testing.T) {
			p := script.Client(t, nil)
			sub := p.Conn.Chan(t.Context(), test.queue)
			p.Sends(manyFrames(sent)...)
			time.Sleep(time.Minute)
			p.Sends(script.Close(1000, ""))
			got := drain(t, "the subscription", sub.C)
			sameMessages(t, got, manyMessages(sent)[test.first:test.last+1])
			if test.slow != errors.Is(sub.Err(), stream.ErrSlow) || !test.slow && sub.Err() != nil {
				t.Errorf("it ended with %v", sub.Err())
			}
			if n := sub.Dropped(); !test.slow && int(n)+len(got) != sent {
				t.Errorf("%d came, %d were dropped, %d were sent", len(got), n, sent)
			}
		})
		if test.name == "Block" || test.queue == nil {
			continue
		}
		bubble(t, "a slow "+test.name+" holds nobody up", func(t *testing.T) {
			p := script.Client(t, nil)
			p.Conn.Chan(t.Context(), test.queue)
			quick := p.Conn.Chan(t.Context(), &stream.SubscribeOptions{Size: 1})
			p.Sends(manyFrames(1000)...)
			for _, want := range manyMessages(1000) {
				sameMessages(t, []stream.Message{within(t, "a message", quick.C)}, []stream.Message{want})
			}
		})
	}
	bubble(t, "Block with a deadline", func(t *testing.T) {
		p := script.Client(t, nil)
		slow := p.Conn.Chan(t.Context(), &stream.SubscribeOptions{Size: 4, Timeout: time.Minute})
		quick := p.Conn.Chan(t.Context(), &stream.SubscribeOptions{Size: 1})
		began := time.Now()
		p.Sends(manyFrames(100)...)
		for _, want := range manyMessages(100) {
			sameMessages(t, []stream.Message{within(t, "a message", quick.C)}, []stream.Message{want})
		}
		if waited := time.Since(began); waited < time.Minute {
			t.Errorf("the slow subscription held the other up for %v, want a minute", waited)
		}
		if n := len(drain(t, "the slow subscription", slow.C)); n < 4 || n > 5 || !errors.Is(slow.Err(), stream.ErrSlow) {
			t.Errorf("%d messages came, then %v", n, slow.Err())
		}
	})
	bubble(t, "Block that is slow, but not too slow", func(t *testing.T) {
		p := script.Client(t, nil)
		slow := p.Conn.Chan(t.Context(), &stream.SubscribeOptions{Size: 2, Timeout: time.Minute})
		p.Sends(manyFrames(20)...)
		p.Sends(script.Close(1000, ""))
		for range 18 {
			within(t, "a message", slow.C)
			time.Sleep(50 * time.Second)
		}
		if n := len(drain(t, "the slow subscription", slow.C)); n != 2 || slow.Err() != nil {
			t.Errorf("at last %d messages came, then %v", n, slow.Err())
		}
	})
	bubble(t, "a queue of 64 by default", func(t *testing.T) {
		p := script.Client(t, nil)
		sub := p.Conn.Chan(t.Context(), &stream.SubscribeOptions{Policy: stream.DropNewest})
		p.Sends(manyFrames(300)...)
		time.Sleep(time.Minute)
		p.Sends(script.Close(1000, ""))
		if n := len(drain(t, "the subscription", sub.C)); n != 64 || sub.Dropped() != 236 {
			t.Errorf("%d came, %d were dropped, want 64 and 236", n, sub.Dropped())
		}
	})
}

// "Close(code, reason) may be called anywhere, in callbacks too: it starts and
// returns; Done or the promise waits. It flushes what was queued before it
// (Sinks included), sends Close, reads on until the peer's Close or a deadline
// (a held pause does not stop that), then lets the server close TCP first, up
// to the same deadline. A reason over 123 bytes is an error, never a cut rune;
// so are codes that may not be sent. After termination every Send gets an
// error."
func TestContract07Close(t *testing.T) {
	bubble(t, "in a callback", func(t *testing.T) {
		p := script.Client(t, nil)
		closed := make(chan error, 1)
		p.Conn.OnText(func(string) { closed <- p.Conn.Close(1000, "enough") })
		p.Sends(script.Text("a"))
		if err := within(t, "Close", closed); err != nil {
			t.Error(err)
		}
		p.WantsClose(1000)
		p.Sends(script.Close(1000, ""))
		endedPlainly(t, p.Conn, result.Status{Code: 1000, Sent: 1000, Received: 1000})
	})
	bubble(t, "in All's loop", func(t *testing.T) {
		p := script.Client(t, nil)
		p.Sends(script.Text("a"), script.Text("b"), script.Close(1000, ""))
		n := 0
		for range p.Conn.All(ctx) {
			n++
			p.Conn.Close(1000, "")
		}
		if n != 2 {
			t.Errorf("%d messages came, want 2", n)
		}
	})
	bubble(t, "in a continuation of the promise", func(t *testing.T) {
		p := script.Client(t, nil)
		takeAll(p.Conn)
		done := make(chan struct{})
		p.Conn.Result().Then(func(result.Status) { p.Conn.Close(1000, ""); close(done) }, nil)
		p.Sends(script.Close(1000, ""))
		within(t, "the continuation", done)
	})
	bubble(t, "it starts and returns", func(t *testing.T) {
		p := script.Client(t, nil)
		p.StopsReading()
		for range 3 {
			go p.Conn.SendBinary(ctx, filler(1<<20))
		}
		synctest.Wait()
		began := time.Now()
		if err := p.Conn.Close(1000, ""); err != nil {
			t.Error(err)
		}
		if waited := time.Since(began); waited > 0 {
			t.Errorf("Close took %v", waited)
		}
	})
	for _, s := range sides {
		bubble(t, "it flushes/"+s.name, func(t *testing.T) { closeFlushes(t, s.start(t, nil)) })
		bubble(t, "a held pause does not stop it/"+s.name, func(t *testing.T) {
			p := s.start(t, nil)
			takeAll(p.Conn)
			p.Conn.Pause()
			p.Sends(manyFrames(10)...)
			synctest.Wait()
			p.Conn.Close(1000, "")
			p.WantsClose(1000)
			p.Sends(script.Text("on its way"), script.Close(1000, "agreed"))
			endedPlainly(t, p.Conn, result.Status{Code: 1000, Reason: "agreed", Sent: 1000, Received: 1000})
		})
	}
	bubble(t, "a pause and more than the look-ahead do not stop it", func(t *testing.T) {
		p := script.Client(t, &stream.Options{LookAhead: 1000})
		takeAll(p.Conn)
		p.Conn.Pause()
		p.Sends(script.Binary(filler(5000)), script.Binary(filler(100000)))
		synctest.Wait()
		p.Conn.Close(1000, "")
		p.WantsClose(1000)
		p.Sends(script.Close(1000, "agreed"))
		endedPlainly(t, p.Conn, result.Status{Code: 1000, Reason: "agreed", Sent: 1000, Received: 1000})
	})
	bubble(t, "bad arguments", func(t *testing.T) {
		p := script.Client(t, nil)
		takeAll(p.Conn)
		for _, code := range []result.StatusCode{-1, 0, 999, 1004, 1006, 1015, 2999, 5000, 66536} {
			isArgument(t, p.Conn.Close(code, ""))
		}
		isArgument(t, p.Conn.Close(1000, letters(124)))
		isArgument(t, p.Conn.Close(1000, strings.Repeat("é", 62)))
		isArgument(t, p.Conn.Close(1005, "without a code"))
		isOpen(t, p)
	})
	bubble(t, "then every Send gets an error", func(t *testing.T) {
		p := script.Client(t, nil)
		takeAll(p.Conn)
		p.Sends(script.Close(1000, ""))
		status(t, p.Conn)
		w, err := p.Conn.Writer(ctx, stream.Text)
		if err == nil {
			_, err = io.WriteString(w, "late")
		}
		errs := []error{err, p.Conn.Send(ctx, text("late")), p.Conn.SendText(ctx, "late"), p.Conn.SendBinary(ctx, nil)}
		if slices.Contains(errs, nil) {
			t.Errorf("the errors are %v", errs)
		}
	})
}

// closeFlushes sees that everything that was accepted before Close comes before
// the Close frame.
func closeFlushes(t *testing.T, p *script.Peer) {
	takeAll(p.Conn)
	p.StopsReading()
	sink := p.Conn.Sink(ctx, nil)
	defer close(sink)
	var want []string
	for i := range 100 {
		s := fmt.Sprint("by the Sink ", i)
		sink <- text(s)
		want = append(want, s)
	}
	sent := make(chan error, 1)
	go func() { sent <- p.Conn.SendText(ctx, "by SendText") }()
	want = append(want, "by SendText")
	synctest.Wait()
	if err := p.Conn.Close(1000, ""); err != nil {
		t.Fatal(err)
	}
	p.ReadsOn()
	var got []string
	for f := p.Next("what was queued"); f.Opcode != script.OpClose; f = p.Next("what was queued, and a Close") {
		got = append(got, string(f.Payload))
	}
	if err := within(t, "SendText", sent); err != nil {
		t.Error(err)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("before the Close came %d messages, want %d", len(got), len(want))
	}
	p.Sends(script.Close(1000, ""))
	status(t, p.Conn)
}

// "Sink(ctx) gives each caller a channel of its own; closing it ends that
// producer, not the connection, unless asked (then drain, 1000). After the
// terminal event it takes and discards (counted, logged once) until it is
// closed or ctx ends, so that nobody hangs. A send that returns nil was
// accepted; a flush says that it reached the kernel. Nothing leaks."
func TestContract08Sink(t *testing.T) {
	bubble(t, "each a channel of its own", func(t *testing.T) {
		p := script.Client(t, nil)
		one, two := p.Conn.Sink(ctx, nil), p.Conn.Sink(ctx, nil)
		close(one)
		two <- text("still here")
		p.Wants("the second producer's message", script.Text("still here"))
		close(two)
		synctest.Wait()
		takeAll(p.Conn)
		isOpen(t, p)
	})
	bubble(t, "in order and whole", func(t *testing.T) {
		p := script.Client(t, nil)
		sink := p.Conn.Sink(ctx, &stream.SinkOptions{Buffer: 1})
		go func() {
			defer close(sink)
			for _, m := range manyMessages(1000) {
				sink <- m
			}
		}()
		for _, f := range manyFrames(1000) {
			p.Wants("the producer's message", f)
		}
	})
	bubble(t, "CloseConn drains and closes", func(t *testing.T) {
		p := script.Client(t, nil)
		takeAll(p.Conn)
		p.StopsReading()
		sink := p.Conn.Sink(ctx, &stream.SinkOptions{CloseConn: true})
		for _, m := range manyMessages(200) {
			sink <- m
		}
		close(sink)
		synctest.Wait()
		p.ReadsOn()
		for _, f := range manyFrames(200) {
			p.Wants("the producer's message", f)
		}
		p.WantsClose(1000)
		p.Sends(script.Close(1000, ""))
		endedPlainly(t, p.Conn, result.Status{Code: 1000, Sent: 1000, Received: 1000})
	})
	for _, end := range []string{"closed", "the context ends"} {
		bubble(t, "takes and discards until "+end, func(t *testing.T) {
			logger, seen := logs()
			p := script.Client(t, &stream.Options{Logger: logger})
			inner, cancel := context.WithCancel(ctx)
			sink := p.Conn.Sink(inner, &stream.SinkOptions{Buffer: 1})
			p.Conn.CloseNow(errTest)
			status(t, p.Conn)
			seen.TakeAll()
			for range 1000 {
				select {
				case sink <- text("late"):
				case <-time.After(time.Minute):
					t.Fatal("the Sink takes nothing")
				}
			}
			if end == "closed" {
				close(sink)
			} else {
				cancel()
			}
			synctest.Wait()
			cancel()
			if n := seen.Len(); n != 1 {
				t.Errorf("it was logged %d times: %v", n, seen.All())
			}
		})
	}
	bubble(t, "a flush waits for the kernel", func(t *testing.T) {
		p := script.Client(t, nil)
		p.StopsReading()
		go p.Conn.SendText(ctx, "a")
		synctest.Wait()
		flushed := make(chan error, 1)
		go func() { flushed <- p.Conn.Flush(ctx) }()
		synctest.Wait()
		if len(flushed) > 0 {
			t.Fatalf("Flush gave %v before the bytes went out", <-flushed)
		}
		p.ReadsOn()
		if err := within(t, "Flush", flushed); err != nil {
			t.Error(err)
		}
		p.Wants("the message", script.Text("a"))
		if err := p.Conn.Flush(ctx); err != nil {
			t.Errorf("Flush of nothing: %v", err)
		}
	})
	bubble(t, "a flush that cannot be", func(t *testing.T) {
		p := script.Client(t, nil)
		p.StopsReading()
		go p.Conn.SendText(ctx, "a")
		synctest.Wait()
		flushed := make(chan error, 1)
		go func() { flushed <- p.Conn.Flush(ctx) }()
		synctest.Wait()
		p.Conn.CloseNow(errTest)
		if err := within(t, "Flush", flushed); err == nil {
			t.Error("Flush gives nil, the bytes never went out")
		}
	})
}
