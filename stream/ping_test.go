package stream_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// pong is the answer to the Ping that comes next, which must be one of the
// program's.
func pong(t *testing.T, p *script.Peer) script.Frame {
	t.Helper()
	f := p.Next("the program's Ping")
	if f.Opcode != script.OpPing || !strings.HasPrefix(string(f.Payload), "wsflow") || len(f.Payload) != 14 {
		t.Errorf("the program's Ping is %v", f)
	}
	return script.Pong(f.Payload)
}

// wantPing pings a peer that sends frames, and its Pong behind them, after a
// second.
func wantPing(t *testing.T, p *script.Peer, before ...script.Frame) {
	t.Helper()
	go func() { // ends with the Ping
		f := pong(t, p)
		time.Sleep(time.Second)
		p.Sends(append(before, f)...)
	}()
	if rtt, err := p.Conn.Ping(ctx); rtt != time.Second || err != nil {
		t.Errorf("Ping returns %v and %v, want 1s", rtt, err)
	}
}

// takings are ways to take messages, or not to. Each runs ping where it is most
// in the way, once.
var takings = map[string]func(t *testing.T, p *script.Peer, ping func()){
	"nobody": func(_ *testing.T, _ *script.Peer, ping func()) { ping() },
	"All waits": func(_ *testing.T, p *script.Peer, ping func()) {
		go func() { // until the connection ends
			for range p.Conn.All(ctx) {
			}
		}()
		synctest.Wait()
		ping()
	},
	"the body of All": func(_ *testing.T, p *script.Peer, ping func()) {
		p.Sends(script.Text("a"), script.Text("b"))
		for range p.Conn.All(ctx) {
			ping()
			break
		}
	},
	"a Reader's message": func(t *testing.T, p *script.Peer, ping func()) {
		p.Sends(script.Text("a").Open())
		if _, _, err := p.Conn.Reader(ctx); err != nil {
			t.Fatal(err)
		}
		ping()
	},
	"a full channel": func(_ *testing.T, p *script.Peer, ping func()) {
		s := p.Conn.Chan(ctx, &stream.SubscribeOptions{Size: 1})
		p.Sends(slices.Repeat([]script.Frame{script.Text("a")}, 100)...)
		synctest.Wait()
		ping()
		s.Cancel()
	},
	"a callback": func(_ *testing.T, p *script.Peer, ping func()) {
		done := make(chan struct{})
		stop := p.Conn.OnText(func(string) {
			if done != nil {
				ping()
				close(done)
				done = nil
			}
		})
		wait := done
		p.Sends(script.Text("a"))
		<-wait
		stop()
	},
	"a pause": func(_ *testing.T, p *script.Peer, ping func()) {
		go func() { // until the connection ends
			for range p.Conn.All(ctx) {
			}
		}()
		resume := p.Conn.Pause()
		synctest.Wait()
		ping()
		resume()
	},
}

// However messages are taken, and whatever comes before the Pong, that is seen as
// soon as it comes.
func TestPing(t *testing.T) {
	data := slices.Repeat([]script.Frame{script.Binary(make([]byte, 10_000)), script.Ping("theirs")}, 20)
	for name, taking := range takings {
		for _, role := range []stream.Role{stream.Client, stream.Server} {
			bubble(t, fmt.Sprintf("%s/%v", name, role), func(t *testing.T) {
				p := script.Start(t, role, nil, nil)
				taking(t, p, func() { wantPing(t, p) })
			})
			bubble(t, fmt.Sprintf("%s, behind data/%v", name, role), func(t *testing.T) {
				p := script.Start(t, role, nil, nil)
				taking(t, p, func() { wantPing(t, p, data...) })
			})
		}
	}
}

// Each call has its own Pong, or a later one.
func TestPingConcurrently(t *testing.T) {
	for name, answers := range map[string]func(pongs []script.Frame) []script.Frame{
		"in order":        func(pongs []script.Frame) []script.Frame { return pongs },
		"the last alone":  func(pongs []script.Frame) []script.Frame { return pongs[len(pongs)-1:] },
		"the other way":   func(pongs []script.Frame) []script.Frame { slices.Reverse(pongs); return pongs },
		"each many times": func(pongs []script.Frame) []script.Frame { return slices.Concat(pongs, pongs, pongs) },
	} {
		bubble(t, name, func(t *testing.T) {
			const pings = 50
			p := script.Client(t, nil)
			var all sync.WaitGroup
			for range pings {
				all.Go(func() {
					if rtt, err := p.Conn.Ping(ctx); rtt != time.Second || err != nil {
						t.Errorf("Ping returns %v and %v, want 1s", rtt, err)
					}
				})
			}
			var pongs []script.Frame
			payloads := make(map[string]bool)
			for range pings {
				pongs = append(pongs, pong(t, p))
				payloads[string(pongs[len(pongs)-1].Payload)] = true
			}
			time.Sleep(time.Second)
			p.Sends(answers(pongs)...)
			all.Wait()
			if len(payloads) != pings {
				t.Errorf("%d Pings have %d payloads", pings, len(payloads))
			}
		})
	}
}

// A message comes to whoever takes messages while pings are answered.
func TestPingLosesNothing(t *testing.T) {
	bubble(t, "beside All", func(t *testing.T) {
		p := script.Client(t, nil)
		done := make(chan int)
		go func() { // until the connection ends
			n := 0
			for m := range p.Conn.All(ctx) {
				if want := fmt.Sprint(n); m.String() != want {
					t.Errorf("message %v came, want %s", m, want)
				}
				n++
				time.Sleep(time.Millisecond)
			}
			done <- n
		}()
		for i := range 100 {
			go func() {
				f := pong(t, p)
				p.Sends(script.Text(fmt.Sprint(2*i)), f, script.Text(fmt.Sprint(2*i+1)))
			}()
			if _, err := p.Conn.Ping(ctx); err != nil {
				t.Fatal(err)
			}
		}
		p.Sends(script.Close(1000, ""))
		if n := <-done; n != 200 {
			t.Errorf("%d messages came, want 200", n)
		}
	})
}

// wantPingFails wants an error that is another, and says so.
func wantPingFails(t *testing.T, err, is error, says string) {
	t.Helper()
	if !errors.Is(err, is) || !strings.Contains(err.Error(), says) {
		t.Errorf("Ping ends with %v, want %v with %q", err, is, says)
	}
}

func TestPingTellsWhyNoPongCame(t *testing.T) {
	enough := errors.New("enough")
	soon := func() context.Context {
		ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, enough)
		context.AfterFunc(ctx, cancel)
		return ctx
	}
	bubble(t, "a silent peer", func(t *testing.T) {
		p := script.Client(t, nil)
		_, err := p.Conn.Ping(soon())
		wantPingFails(t, err, enough, "no Pong has come")
		pong(t, p)
		wantPing(t, p)
	})
	bubble(t, "reading is held", func(t *testing.T) {
		p := script.Client(t, &stream.Options{LookAhead: 5000})
		p.Sends(slices.Repeat([]script.Frame{script.Binary(make([]byte, 1000))}, 100)...)
		_, err := p.Conn.Ping(soon())
		wantPingFails(t, err, enough, "reading is held")
		pong(t, p)
		n := 0
		for range p.Conn.All(ctx) {
			if n++; n == 100 {
				break
			}
		}
		wantPing(t, p)
	})
	bubble(t, "a consumer comes back", func(t *testing.T) {
		p := script.Client(t, &stream.Options{LookAhead: 5000})
		go func() {
			f := pong(t, p)
			p.Sends(append(slices.Repeat([]script.Frame{script.Binary(make([]byte, 1000))}, 100), f)...)
			time.Sleep(time.Second)
			for range p.Conn.All(ctx) {
			}
		}()
		if rtt, err := p.Conn.Ping(ctx); rtt != time.Second || err != nil {
			t.Errorf("Ping returns %v and %v, want 1s", rtt, err)
		}
	})
	bubble(t, "nobody need take messages", func(t *testing.T) {
		p := script.Client(t, &stream.Options{LookAhead: 5000})
		p.Conn.Discard()
		wantPing(t, p, slices.Repeat([]script.Frame{script.Binary(make([]byte, 1000))}, 100)...)
	})
	bubble(t, "ctx is over", func(t *testing.T) {
		p := script.Client(t, nil)
		over, cancel := context.WithCancelCause(ctx)
		cancel(enough)
		_, err := p.Conn.Ping(over)
		wantPingFails(t, err, enough, "")
		p.WantsSilence("no Ping for a context that is over")
		_, err = p.Conn.Ping(nil) //lint:ignore SA1012 this is the test
		isArgument(t, err)
	})
}

func TestPingAfterTheEnd(t *testing.T) {
	bubble(t, "cut while it waits", func(t *testing.T) {
		p := script.Client(t, nil)
		go func() {
			pong(t, p)
			p.Cuts()
		}()
		_, err := p.Conn.Ping(ctx)
		wantPingFails(t, err, net.ErrClosed, "without a Close frame")
		var failed *result.ConnectionFailed
		if !errors.As(err, &failed) {
			t.Errorf("Ping ends with %v, want the terminal event's", err)
		}
		_, err = p.Conn.Ping(ctx)
		wantPingFails(t, err, net.ErrClosed, "has ended")
	})
	bubble(t, "the closing handshake", func(t *testing.T) {
		p := script.Client(t, nil)
		ended := make(chan error)
		go func() {
			_, err := p.Conn.Ping(ctx)
			ended <- err
		}()
		pong(t, p)
		p.Conn.Close(1000, "")
		_, err := p.Conn.Ping(ctx)
		wantPingFails(t, err, net.ErrClosed, "has begun to close")
		p.WantsClose(1000)
		p.Sends(script.Close(1000, ""))
		wantPingFails(t, <-ended, net.ErrClosed, "")
	})
	bubble(t, "a Pong before the Close", func(t *testing.T) {
		p := script.Client(t, nil)
		go func() {
			f := pong(t, p)
			p.Conn.Close(1000, "")
			p.WantsClose(1000)
			p.Sends(f, script.Close(1000, ""))
		}()
		if _, err := p.Conn.Ping(ctx); err != nil {
			t.Error(err)
		}
	})
}

// Pongs that nobody asked for are harmless, whatever they say.
func TestPongsUnsolicited(t *testing.T) {
	bubble(t, "of our form", func(t *testing.T) {
		p := script.Client(t, nil)
		ours := func(number byte) script.Frame {
			return script.Pong("wsflow\x00\x00\x00\x00\x00\x00\x00" + string(number))
		}
		p.Sends(ours(0), ours(1), ours(2), script.Pong(""), script.Pong("wsflow"))
		p.Sent()
		synctest.Wait()
		ended := make(chan error)
		go func() {
			_, err := p.Conn.Ping(ctx)
			ended <- err
		}()
		f := pong(t, p)
		p.Sends(ours(0), ours(2), script.Pong(""), script.Pong("wsflow"))
		p.Sent()
		synctest.Wait()
		select {
		case err := <-ended:
			t.Errorf("Ping ends with %v", err)
		default:
		}
		p.Sends(f)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		p.Sends(f, f)
		wantPing(t, p)
	})
}

// An operator is told of its own Pings alone, and too many frames that wait keep
// the program's back as they do its own.
func TestPingBesideOperators(t *testing.T) {
	bubble(t, "a Ping of the program's", func(t *testing.T) {
		h := &hand{}
		p := script.Client(t, &stream.Options{Operators: []stream.Operator{h}})
		wantPing(t, p)
		wantDelivered(t, "after a Ping of the program's", h.link, 20, -1)
		h.link.Control(stream.Ping, []byte("mine"))
		p.Wants("the operator's", script.Ping("mine"))
		synctest.Wait()
		wantDelivered(t, "after one of its own", h.link, 30, 20)
		wantPing(t, p)
		wantDelivered(t, "after another", h.link, 50, 20)

		p.StopsReading()
		for h.link.Control(stream.Pong, filler(100)) == nil {
		}
		_, err := p.Conn.Ping(ctx)
		if err == nil || !strings.Contains(err.Error(), "bytes of control frames wait for the network") {
			t.Errorf("Ping ends with %v behind many control frames", err)
		}
	})
}
