//go:build race

package stream_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// The sizes of reads that matter, as in read.go.
const (
	firstRead = 4 << 10
	recordMax = 16 << 10
)

// lastWords are the ways in which a connection can end while messages are on
// their way, in both directions.
var lastWords = map[string]func(p *script.Peer){
	"the peer closes":          func(p *script.Peer) { p.Sends(script.Close(1000, "")) },
	"we close":                 func(p *script.Peer) { p.Conn.Close(1000, ""); p.Sends(script.Close(1000, "")) },
	"we close, without answer": func(p *script.Peer) { p.Conn.Close(1000, "") },
	"a cut":                    func(p *script.Peer) { p.Cuts() },
	"a breach":                 func(p *script.Peer) { p.Sends(script.Of(3, "")) },
	"CloseNow":                 func(p *script.Peer) { p.Conn.CloseNow(nil) },
	"a deaf peer and a cut":    func(p *script.Peer) { p.StopsReading(); go p.Conn.SendText(ctx, "unread"); p.Cuts() },
	"away, and a cut":          func(p *script.Peer) { p.Conn.Pause(); p.Sends(script.Text("unseen")); p.Cuts() },
}

// Each buffer that a connection borrowed is back in its pool when the
// connection has ended and its messages were released.
func TestBuffersComeBack(t *testing.T) {
	for _, f := range faces {
		for name, end := range lastWords {
			for _, s := range sides {
				t.Run(f.name+", "+name+"/"+s.name, func(t *testing.T) {
					before := bufpool.Lent()
					synctest.Test(t, func(t *testing.T) { comeAndGo(t, f, s, end) })
					if n := bufpool.Lent() - before; n != 0 {
						t.Errorf("%d buffers are still lent", n)
					}
				})
			}
		}
	}
}

// comeAndGo lets messages of all kinds pass both ways, ends the connection, and
// releases what came.
func comeAndGo(t *testing.T, f face, s side, end func(*script.Peer)) {
	p := s.start(t, nil)
	tk := f.take(ctx, p.Conn)
	burst := make([]script.Frame, 600)
	for i := range burst {
		burst[i] = script.Text("one of a burst")
	}
	p.Sends(burst...)
	p.Sends(script.Text("in ").Open(), script.Ping("x"), script.Last("fragments"))
	p.Sends(script.Binary(make([]byte, 100_000)))
	sink := p.Conn.Sink(ctx, nil)
	for range 100 {
		sink <- text("one of many").Clone()
	}
	close(sink)
	go p.Conn.SendBinary(ctx, make([]byte, 300_000))
	time.Sleep(time.Minute)
	end(p)
	<-p.Conn.Done()
	time.Sleep(time.Minute)
	for len(tk.messages) > 0 {
		(<-tk.messages).Release()
	}
	p.End()
	synctest.Wait()
}

// So are those of messages that one subscriber left and another one took.
func TestLeftMessagesComeBack(t *testing.T) {
	before := bufpool.Lent()
	synctest.Test(t, func(t *testing.T) {
		c, theirs := overPipe(t)
		go floodNumbered(theirs)
		for _, k := range leaveAndCome(t, c) {
			for _, m := range k.kept {
				m.Release()
			}
		}
		theirs.Close()
		for m := range c.Chan(t.Context(), nil).C {
			m.Release()
		}
		<-c.Done()
	})
	if n := bufpool.Lent() - before; n != 0 {
		t.Errorf("%d buffers are still lent", n)
	}
}

// An idle connection holds no buffer, also when its read was called back.
func TestIdleAfterAPauseHoldsNoBuffer(t *testing.T) {
	before := bufpool.Lent()
	synctest.Test(t, func(t *testing.T) {
		c, theirs := overPipe(t)
		go func() {
			for range c.All(t.Context()) {
			}
		}()
		synctest.Wait()
		c.Pause()()
		time.Sleep(time.Minute)
		if n := bufpool.Lent() - before; n > 0 {
			t.Errorf("after a pause an idle connection holds %d buffers", n)
		}
		theirs.Close()
	})
}

// Nor does it hold one after messages of any size, or after a read that had
// nothing, where reads cannot be tried.
func TestIdleBehindMessagesHoldsNoBuffer(t *testing.T) {
	for _, size := range []int{0, 1, firstRead - 4, firstRead, recordMax - 4, recordMax, 100_000} {
		before := bufpool.Lent()
		synctest.Test(t, func(t *testing.T) {
			c, theirs := overPipe(t)
			go func() {
				for range c.All(t.Context()) {
				}
			}()
			theirs.Write(script.Binary(make([]byte, size)).Bytes(false))
			time.Sleep(time.Minute)
			if n := bufpool.Lent() - before; n > 0 {
				t.Errorf("behind a message of %d bytes an idle connection holds %d buffers", size, n)
			}
			theirs.Write(nil)
			time.Sleep(time.Minute)
			if n := bufpool.Lent() - before; n > 0 {
				t.Errorf("behind a read of nothing an idle connection holds %d buffers", n)
			}
		})
	}
}

// Nor does the look-ahead while it waits for a plain socket: there is the
// consumer's alone.
func TestAheadOfASocketHoldsNoBuffer(t *testing.T) {
	before := bufpool.Lent()
	c, _, theirs := overSockets(t, nil)
	theirs.Write(script.Binary(make([]byte, 2*firstRead)).Bytes(false))
	paused := make(chan struct{})
	go func() {
		for _, err := range c.All(t.Context()) {
			if err == nil {
				defer c.Pause()()
				close(paused)
			}
		}
	}()
	<-paused
	waitForASocket(t, "lookAhead")
	if n := bufpool.Lent() - before; n > 1 {
		t.Errorf("%d buffers are lent", n)
	}
}

// waitForASocket returns when somebody waits for a socket: "lookAhead" or "All".
func waitForASocket(t *testing.T, who string) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for patience := time.After(30 * time.Second); !waitsForASocket(who); {
		select {
		case <-tick.C:
		case <-patience:
			t.Fatalf("%s does not wait for the socket", who)
		}
	}
}

func waitsForASocket(who string) bool {
	stacks := make([]byte, 1<<20)
	for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
		if strings.Contains(stack, "[IO wait") && strings.Contains(stack, "stream.(*transport).await") && strings.Contains(stack, who) {
			return true
		}
	}
	return false
}

// An idle connection holds no buffer, also when somebody was reading ahead before
// its consumer came, or came back.
func TestIdleAfterLookingAheadHoldsNoBuffer(t *testing.T) {
	check := func(t *testing.T, before int64) {
		t.Helper()
		if n := bufpool.Lent() - before; n > 0 {
			t.Errorf("an idle connection holds %d buffers", n)
		}
	}
	take := func(c *stream.Conn) {
		go func() {
			for range c.All(ctx) {
			}
		}()
	}
	t.Run("plain socket", func(t *testing.T) {
		before := bufpool.Lent()
		ours, _ := sockets(t)
		c, err := stream.New(ours, stream.Client, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow(nil)
		waitForASocket(t, "lookAhead")
		take(c)
		waitForASocket(t, ".All")
		check(t, before)
		resume := c.Pause()
		waitForASocket(t, ".All")
		check(t, before)
		resume()
		waitForASocket(t, ".All")
		check(t, before)
	})
	t.Run("pipe", func(t *testing.T) {
		before := bufpool.Lent()
		synctest.Test(t, func(t *testing.T) {
			c, theirs := overPipe(t)
			time.Sleep(time.Minute)
			take(c)
			synctest.Wait()
			check(t, before)
			theirs.Close()
			<-c.Done()
		})
	})
}

// takenTo are the ways in which messages can have been taken, up to one of many.
var takenTo = map[string]func(t *testing.T, c *stream.Conn){
	"by nobody": func(*testing.T, *stream.Conn) {},
	"by a loop": func(_ *testing.T, c *stream.Conn) {
		for range c.All(ctx) {
			break
		}
	},
	"by half of a Reader": func(t *testing.T, c *stream.Conn) {
		_, r, err := c.Reader(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := r.Read(make([]byte, 3)); n == 0 || err != nil {
			t.Fatalf("read %d bytes, error %v", n, err)
		}
	},
	"by a Chan": func(t *testing.T, c *stream.Conn) {
		sub := c.Chan(ctx, &stream.SubscribeOptions{Size: 4})
		(<-sub.C).Release()
		sub.Cancel()
		for m := range sub.C {
			m.Release()
		}
	},
	"by Batches": func(t *testing.T, c *stream.Conn) {
		sub := c.Batches(ctx, &stream.SubscribeOptions{Size: 4})
		for _, m := range <-sub.C {
			m.Release()
		}
		sub.Cancel()
		for batch := range sub.C {
			for _, m := range batch {
				m.Release()
			}
		}
	},
	"by callbacks": func(t *testing.T, c *stream.Conn) {
		first := make(chan struct{}, 1000)
		c.OnText(func(string) { first <- struct{}{} })
		<-first
	},
}

// A connection that has ended by CloseNow holds no buffer, whoever took messages
// before and whatever nobody took.
func TestEndedConnectionHoldsNoBuffer(t *testing.T) {
	for name, take := range takenTo {
		for _, away := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				before := bufpool.Lent()
				synctest.Test(t, func(t *testing.T) {
					p := script.Client(t, nil)
					p.Sends(slices.Repeat([]script.Frame{script.Text("one of many"), script.Text(strings.Repeat("x", 3000))}, 50)...)
					take(t, p.Conn)
					if away {
						time.Sleep(time.Minute) // the look-ahead reads
					}
					p.Conn.CloseNow(nil)
					<-p.Conn.Done()
					synctest.Wait()
					if n := bufpool.Lent() - before; n != 0 {
						t.Errorf("away %v: %d buffers are still lent", away, n)
					}
					p.End()
				})
			})
		}
	}
}
