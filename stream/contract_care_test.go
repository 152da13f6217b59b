package stream_test

import (
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// A watcher is an operator that sees control frames and asks its Link, as a
// heartbeat does.
type watcher struct {
	hand
	mu   sync.Mutex
	seen []string
}

func (w *watcher) Attach(l *stream.Link) (stream.Hooks, error) {
	w.link = l
	return stream.Hooks{Control: func(f stream.Frame) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.seen = append(w.seen, f.Type.String()+" "+string(f.Payload))
		return nil
	}}, nil
}

func (w *watcher) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.seen) == 0 {
		return ""
	}
	return w.seen[len(w.seen)-1]
}

// "Pausing is counted (a pause lasts as long as its token) and never trips our
// own heartbeat."
func TestContract09Pause(t *testing.T) {
	onEachFace(t, "counted", nil, func(t *testing.T, f face, p *script.Peer) {
		tk := f.take(ctx, p.Conn)
		one, two, three := p.Conn.Pause(), p.Conn.Pause(), p.Conn.Pause()
		p.Sends(script.Text("a"))
		for _, resume := range []func(){one, one, three, three, one} {
			resume()
			time.Sleep(time.Minute)
			if len(tk.messages) > 0 {
				t.Fatal("a message came while one pause was still held")
			}
		}
		two()
		tk.next(t, text("a"))
		again := p.Conn.Pause()
		one()
		two()
		p.Sends(script.Text("b"))
		time.Sleep(time.Minute)
		if len(tk.messages) > 0 {
			t.Fatal("an old token has ended a new pause")
		}
		again()
		tk.next(t, text("b"))
	})
	ten := make([]script.Frame, 10)
	for i := range ten {
		ten[i] = script.Text("a")
	}
	bubble(t, "in a callback, of what came together", func(t *testing.T) {
		p := script.Client(t, nil)
		var calls atomic.Int32
		resume := make(chan func(), 1)
		p.Conn.OnText(func(string) {
			if calls.Add(1) == 5 {
				resume <- p.Conn.Pause()
			}
		})
		p.Sends(ten...)
		time.Sleep(time.Minute)
		if n := calls.Load(); n != 5 {
			t.Errorf("%d messages came, want 5 until the one that paused", n)
		}
		(<-resume)()
		time.Sleep(time.Minute)
		if n := calls.Load(); n != 10 {
			t.Errorf("%d messages came, want 10", n)
		}
	})
	bubble(t, "in a loop, of what came together", func(t *testing.T) {
		p := script.Client(t, nil)
		p.Sends(ten...)
		var at []time.Duration
		start := time.Now()
		for range p.Conn.All(ctx) {
			if at = append(at, time.Since(start)); len(at) == len(ten) {
				break
			}
			time.AfterFunc(time.Minute, p.Conn.Pause())
		}
		if at[9] != 9*time.Minute {
			t.Errorf("messages came after %v, want one each minute", at)
		}
	})
	bubble(t, "of a full queue, of what came together", func(t *testing.T) {
		p := script.Client(t, nil)
		s := p.Conn.Chan(ctx, &stream.SubscribeOptions{Size: 1})
		p.Sends(ten...)
		time.Sleep(time.Minute)
		resume := p.Conn.Pause()
		took := 0
		for took < len(ten) {
			select {
			case <-s.C:
				took++
				continue
			case <-time.After(time.Minute):
			}
			break
		}
		if took > 2 {
			t.Errorf("%d messages came, want the one in the queue and the one that waited for it", took)
		}
		resume()
		for ; took < len(ten); took++ {
			<-s.C
		}
	})
	bubble(t, "sending goes on", func(t *testing.T) {
		p := script.Client(t, nil)
		p.Conn.Pause()
		if err := p.Conn.SendText(ctx, "a"); err != nil {
			t.Fatal(err)
		}
		p.Wants("a message in spite of the pause", script.Text("a"))
	})
	for _, s := range sides {
		bubble(t, "a heartbeat sees its pongs/"+s.name, func(t *testing.T) {
			w := &watcher{}
			p := s.start(t, &stream.Options{Operators: []stream.Operator{w}})
			takeAll(p.Conn)
			p.Sends(script.Text("a"))
			synctest.Wait()
			p.Conn.Pause()
			p.Sends(script.Text("b"))
			synctest.Wait()
			start := time.Now()
			w.link.CountListened(true)
			for range 20 {
				time.Sleep(30 * time.Second)
				now := time.Now()
				p.Sends(script.Pong(now.String()))
				time.Sleep(10 * time.Second)
				if w.last() != "pong "+now.String() {
					t.Fatalf("the operator last saw %q, want the pong of %v", w.last(), now)
				}
				if silent := time.Since(w.link.LastRead()); silent > 10*time.Second {
					t.Fatalf("LastRead was %v ago", silent)
				}
				if heard := w.link.Listened(); heard != time.Since(start) {
					t.Fatalf("listened for %v of %v, although there is room", heard, time.Since(start))
				}
			}
		})
	}
	bubble(t, "a heartbeat knows when silence proves nothing", func(t *testing.T) {
		w := &watcher{}
		p := script.Client(t, &stream.Options{Operators: []stream.Operator{w}, LookAhead: 1000})
		app := takeAll(p.Conn)
		p.Sends(script.Text("a"))
		synctest.Wait()
		resume := p.Conn.Pause()
		w.link.CountListened(true)
		p.SendsIn(500, script.Binary(filler(200000)))
		time.Sleep(time.Minute)
		if heard := w.link.Listened(); heard != 0 {
			t.Errorf("listened for %v, although the look-ahead is spent", heard)
		}
		resume()
		time.Sleep(time.Minute)
		if heard := w.link.Listened(); heard != time.Minute {
			t.Errorf("listened for %v, want the minute since the pause", heard)
		}
		p.Sends(script.Close(1000, ""))
		p.WantsClose(1000)
		app.ends(t, nil)
		if len(app.messages) != 2 {
			t.Errorf("%d messages came", len(app.messages))
		}
	})
}

// "A message that nobody takes (a type with no listener, where callbacks are
// used) logs a warning through zap, with the connection's fields."
func TestContract10NobodyTakes(t *testing.T) {
	tests := []struct {
		name   string
		listen func(c *stream.Conn)
		sends  []script.Frame
		warns  bool
	}{
		{"binary, only OnText", func(c *stream.Conn) { c.OnText(func(string) {}) }, []script.Frame{script.Binary("b")}, true},
		{"text, only OnBinary", func(c *stream.Conn) { c.OnBinary(func([]byte) {}) }, []script.Frame{script.Text("a")}, true},
		{"text, only OnText", func(c *stream.Conn) { c.OnText(func(string) {}) }, []script.Frame{script.Text("a")}, false},
		{"binary, only OnBinary", func(c *stream.Conn) { c.OnBinary(func([]byte) {}) }, []script.Frame{script.Binary("b")}, false},
		{"both, both", func(c *stream.Conn) { c.OnText(func(string) {}); c.OnBinary(func([]byte) {}) }, []script.Frame{script.Text("a"), script.Binary("b")}, false},
		{"binary, OnBinary has stopped", func(c *stream.Conn) { c.OnText(func(string) {}); c.OnBinary(func([]byte) {})() }, []script.Frame{script.Binary("b")}, true},
		{"both, taken by All", func(c *stream.Conn) { takeAll(c) }, []script.Frame{script.Text("a"), script.Binary("b")}, false},
	}
	for _, test := range tests {
		bubble(t, test.name, func(t *testing.T) {
			logger, seen := logs()
			p := script.Client(t, &stream.Options{Logger: logger})
			test.listen(p.Conn)
			p.Sends(test.sends...)
			p.Sends(script.Ping(""))
			p.Wants("the pong", script.Pong(""))
			synctest.Wait()
			if test.warns != (seen.Len() == 1) || !test.warns && seen.Len() > 0 {
				t.Fatalf("it was logged: %v", seen.All())
			}
			if test.warns && seen.All()[0].ContextMap()["of"] != "this connection" {
				t.Errorf("the warning has no field of the connection: %v", seen.All())
			}
		})
	}
	bubble(t, "every listener gets every message", func(t *testing.T) {
		p := script.Client(t, nil)
		got := make(chan string, 10)
		p.Conn.OnText(func(s string) { got <- "one " + s })
		stop := p.Conn.OnText(func(s string) { got <- "two " + s })
		p.Sends(script.Text("a"))
		if a, b := within(t, "a callback", got), within(t, "a callback", got); a == b || a[4:] != "a" || b[4:] != "a" {
			t.Errorf("the callbacks got %q and %q", a, b)
		}
		stop()
		stop()
		p.Sends(script.Text("b"))
		if a := within(t, "a callback", got); a != "one b" {
			t.Errorf("the callback got %q", a)
		}
		synctest.Wait()
		if len(got) > 0 {
			t.Errorf("a stopped callback got %q", <-got)
		}
	})
}

// "A size limit bounds assembled messages (default 16 MiB after inflating), not
// streamed ones (Reader), which are bounded by their pieces."
func TestContract11SizeLimit(t *testing.T) {
	const limit = 16 << 20
	bubble(t, "16 MiB by default", func(t *testing.T) {
		p := script.Client(t, nil)
		app := takeAll(p.Conn)
		p.Sends(split(script.Binary(make([]byte, limit)), limit/4)...)
		p.Sends(split(script.Binary(make([]byte, limit+1)), limit/4)...)
		p.WantsClose(1009)
		app.fails(t, 1009)
		if len(app.messages) != 1 || len(app.messages[0].Data) != limit {
			t.Errorf("%d messages came, want the one at the limit", len(app.messages))
		}
	})
	bubble(t, "the claim of a length is enough", func(t *testing.T) {
		p := script.Client(t, nil)
		app := takeAll(p.Conn)
		p.Sends(script.Binary("begins").Claiming(limit + 1))
		p.WantsClose(1009)
		app.fails(t, 1009)
	})
	bubble(t, "the claim of any length is enough", func(t *testing.T) {
		p := script.Client(t, nil)
		app := takeAll(p.Conn)
		p.Sends(script.Binary("begins").Claiming(1<<63 - 1))
		p.WantsClose(1009)
		app.fails(t, 1009)
	})
	bubble(t, "fragments add up, and cannot overflow", func(t *testing.T) {
		p := script.Client(t, nil)
		app := takeAll(p.Conn)
		p.Sends(script.Binary(letters(1000)).Open(), script.Last("goes on").Claiming(1<<63-1))
		p.WantsClose(1009)
		app.fails(t, 1009)
	})
	bubble(t, "Reader is not limited", func(t *testing.T) {
		p := script.Client(t, &stream.Options{SizeLimit: 1000})
		p.SendsIn(1<<20, script.Binary(make([]byte, 3<<20)).Open(), script.Last(make([]byte, 2<<20)))
		_, r, err := p.Conn.Reader(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, r); n != 5<<20 || err != nil {
			t.Errorf("%d bytes came, then %v", n, err)
		}
	})
	bubble(t, "Reader streams before the message ends", func(t *testing.T) {
		p := script.Client(t, nil)
		p.Sends(script.Text("begins").Claiming(1 << 40))
		_, r, err := p.Conn.Reader(ctx)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 6)
		if _, err := io.ReadFull(r, b); err != nil || string(b) != "begins" {
			t.Errorf("it reads %q, then %v", b, err)
		}
	})
	bubble(t, "a negative limit is none", func(t *testing.T) {
		p := script.Client(t, &stream.Options{SizeLimit: -1})
		app := takeAll(p.Conn)
		p.Sends(script.Binary(make([]byte, limit+1)), script.Close(1000, ""))
		p.WantsClose(1000)
		app.ends(t, nil)
		if len(app.messages) != 1 || len(app.messages[0].Data) != limit+1 {
			t.Errorf("%d messages came", len(app.messages))
		}
	})
}
