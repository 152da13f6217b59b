package stream_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// What a panic of a callback leaves behind leads to the line that panicked, and
// does not show its value, which may hold what the peer sent.
func TestCallbackPanicLogsStack(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		logger, seen := logs()
		p := script.Client(t, &stream.Options{Logger: logger})
		p.Conn.OnText(func(text string) { stumble(text) })
		p.Sends(script.Text("secret"))
		p.Conn.Result().Wait(ctx)
		all := seen.FilterMessage("a callback panicked").All()
		if len(all) != 1 {
			t.Fatalf("it is logged %d times", len(all))
		}
		stack, _ := all[0].ContextMap()["stack"].(string)
		if !strings.Contains(stack, "stumble") || strings.Contains(stack, "secret") {
			t.Errorf("the stack is %q", stack)
		}
		p.WantsClose(1011)
	})
}

func stumble(text string) { panic(text) }

// A callback that was refused because a loop was active does not keep later
// ones from being called.
func TestCallbackAfterARefusedOne(t *testing.T) {
	bubble(t, "when the loop has ended", func(t *testing.T) {
		p := script.Client(t, nil)
		got := make(chan string, 10)
		p.Sends(script.Text("a"))
		for range p.Conn.All(ctx) {
			p.Conn.OnText(func(string) {})
			break
		}
		p.Conn.OnText(func(s string) { got <- s })
		p.Sends(script.Text("b"))
		if s := within(t, "the callback", got); s != "b" {
			t.Errorf("the callback got %q", s)
		}
	})
}

// A callback that waits in Post when CloseNow is called does not run.
func TestPostedCallbackEndsWithCloseNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		posted := make(chan func(), 10)
		p := script.Client(t, &stream.Options{Post: func(f func()) { posted <- f }})
		p.Conn.OnText(func(s string) { t.Errorf("the callback ran, with %q", s) })
		p.Sends(script.Text("abcdefgh"))
		synctest.Wait()
		p.Conn.CloseNow(nil)
		synctest.Wait()
		if len(posted) == 0 {
			t.Fatal("no callback was posted")
		}
		for len(posted) > 0 {
			(<-posted)()
		}
	})
}

// Only continuations and callbacks wait for Options.Post: where it runs nothing
// any more, the connection still has its end.
func TestEndDoesNotWaitForPost(t *testing.T) {
	for name, end := range map[string]func(*script.Peer){
		"the peer closes": func(p *script.Peer) { p.Sends(script.Close(1000, "")) },
		"CloseNow":        func(p *script.Peer) { p.Conn.CloseNow(nil) },
	} {
		bubble(t, name, func(t *testing.T) {
			p := script.Client(t, &stream.Options{Post: func(func()) {}})
			p.Conn.OnText(func(string) {})
			p.Conn.Result().Then(func(result.Status) { t.Error("a continuation ran") }, func(error) { t.Error("a continuation ran") })
			p.Sends(script.Text("for a callback"))
			end(p)
			<-p.Conn.Done()
			want, err := p.Conn.Result().Wait(ctx)
			if got, ok := p.Conn.Result().Status(); !ok || got != want || got.Err != err {
				t.Errorf("the status is %v, %v; Wait returns %v, %v", got, ok, want, err)
			}
			p.Conn.CloseNow(nil) // or the callback waits on
		})
	}
}

// A peer that sends messages of a type that has no listener fills no log with them.
func TestWarningsOfUntakenMessages(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		logger, seen := logs()
		p := script.Client(t, &stream.Options{Logger: logger})
		p.Conn.OnText(func(string) {})
		p.Sends(slices.Repeat([]script.Frame{script.Binary("b")}, 1000)...)
		p.Sends(script.Ping(""))
		p.Wants("the pong", script.Pong(""))
		synctest.Wait()
		if n := seen.Len(); n != 10 {
			t.Fatalf("1000 messages are warned of in %d lines, want 10: for 1, 2, 4 and so on", n)
		}
		if n := seen.All()[9].ContextMap()["messages"]; n != uint64(512) {
			t.Errorf("the last line tells of %v messages, want 512", n)
		}
	})
}

// While a callback that was stopped still runs, it is not known whether it is the one
// who asks for the messages: a loop is refused, and does not wait for itself.
func TestTakersWhileAStoppedCallbackRuns(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		p := script.Client(t, nil)
		running, done := make(chan struct{}), make(chan struct{})
		stop := p.Conn.OnText(func(string) {
			close(running)
			<-done
		})
		p.Sends(script.Text("one"), script.Text("two"))
		<-running
		stop()
		if _, err := p.Conn.Receive(ctx); err != stream.ErrTaken {
			t.Errorf("Receive returns %v, want ErrTaken", err)
		}
		close(done)
		synctest.Wait()
		if m, err := p.Conn.Receive(ctx); err != nil || m.String() != "two" {
			t.Errorf("Receive returns %q, %v, want two", m, err)
		}
	})
}
