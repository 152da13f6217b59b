package stream_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

func wantStats(t *testing.T, when string, c *stream.Conn, want stream.Stats) {
	t.Helper()
	synctest.Wait()
	if got := c.Stats(); got != want {
		t.Errorf("%s:\ngot  %+v\nwant %+v", when, got, want)
	}
}

func TestStats(t *testing.T) {
	bubble(t, "in", func(t *testing.T) {
		p := script.Client(t, nil)
		wantStats(t, "at first", p.Conn, stream.Stats{})
		p.Sends(script.Text("abc"), script.Ping("x"), script.Binary(make([]byte, 300)), script.Text("a").Open())
		time.Sleep(time.Minute) // nobody takes messages
		wantStats(t, "read ahead", p.Conn, stream.Stats{MessagesIn: 2, BytesIn: 315, ControlBytesIn: 3, PingsIn: 1, PongsOut: 1, BytesOut: 7})
		p.Sends(script.Pong("yz"), script.Last("b"))
		n := 0
		for range p.Conn.All(ctx) {
			if n++; n == 3 {
				break
			}
		}
		wantStats(t, "taken", p.Conn, stream.Stats{MessagesIn: 3, BytesIn: 322, ControlBytesIn: 7, PingsIn: 1, PongsIn: 1, PongsOut: 1, BytesOut: 7})
		p.Sends(script.Close(1000, ""))
		<-p.Conn.Done()
		wantStats(t, "after the end", p.Conn, stream.Stats{MessagesIn: 3, BytesIn: 326, ControlBytesIn: 11, PingsIn: 1, PongsIn: 1, PongsOut: 1, BytesOut: 15})
	})
	bubble(t, "out", func(t *testing.T) {
		p := script.Server(t, &stream.Options{FragmentSize: 4})
		p.Conn.SendText(ctx, "abc")
		p.Conn.SendBinary(ctx, []byte("0123456789"))
		p.Wants("one message", script.Text("abc"))
		p.WantsMessage("another one", script.Binary("0123456789"))
		wantStats(t, "sent", p.Conn, stream.Stats{MessagesOut: 2, BytesOut: 5 + 16})
		wantPing(t, p)
		wantStats(t, "pinged", p.Conn, stream.Stats{MessagesOut: 2, BytesOut: 37, PingsOut: 1, BytesIn: 20, ControlBytesIn: 20, PongsIn: 1})
		p.StopsReading()
		p.Conn.SendText(t.Context(), "one") // a context that can end lets Send return at once
		p.Conn.SendText(t.Context(), "two")
		synctest.Wait()
		queued := p.Conn.Stats()
		if queued.MessagesOut != 4 || queued.BytesQueued < 5 || queued.BytesOut+queued.BytesQueued != 37+5+5 {
			t.Errorf("while the peer does not read: %+v", queued)
		}
		p.Conn.CloseNow(nil)
		synctest.Wait()
		if n := p.Conn.Stats().BytesQueued; n != 0 {
			t.Errorf("%d bytes are queued after the end", n)
		}
	})
	bubble(t, "bytes that came with the handshake", func(t *testing.T) {
		p := script.Client(t, &stream.Options{Buffered: []byte("\x81\x03abc")})
		wantStats(t, "at first", p.Conn, stream.Stats{BytesIn: 5})
	})
}

// However messages are taken, each counts once.
func TestStatsCountMessages(t *testing.T) {
	const messages = 100
	var frames []script.Frame
	for i := range messages {
		frames = append(frames, script.Text("a").Open(), script.Ping(""), script.Last(letters(i)), script.Binary(filler(50*i)))
	}
	for name, take := range map[string]func(p *script.Peer){
		"All": func(p *script.Peer) {
			for range p.Conn.All(ctx) {
			}
		},
		"Receive": func(p *script.Peer) {
			for err := error(nil); err == nil; {
				_, err = p.Conn.Receive(ctx)
			}
		},
		"Reader": func(p *script.Peer) {
			for {
				_, r, err := p.Conn.Reader(ctx)
				if err != nil {
					return
				}
				io.Copy(io.Discard, r)
			}
		},
		"Chan": func(p *script.Peer) {
			for range p.Conn.Chan(ctx, nil).C {
			}
		},
		"two channels and callbacks": func(p *script.Peer) {
			p.Conn.OnBinary(func([]byte) {})
			other := p.Conn.Batches(ctx, nil)
			for range p.Conn.Chan(ctx, nil).C {
			}
			for range other.C {
			}
		},
		"one after the other": func(p *script.Peer) {
			for range p.Conn.All(ctx) {
				break
			}
			s := p.Conn.Chan(ctx, nil)
			<-s.C
			s.Cancel()
			synctest.Wait()
			func() {
				defer func() { recover() }()
				for range p.Conn.All(ctx) {
					panic("a body that does not end its loop")
				}
			}()
			for range p.Conn.All(ctx) {
			}
		},
		"nobody": func(p *script.Peer) {
			p.Conn.Discard()
			<-p.Conn.Done()
		},
	} {
		for _, role := range []stream.Role{stream.Client, stream.Server} {
			bubble(t, name+"/"+role.String(), func(t *testing.T) {
				p := script.Start(t, role, &stream.Options{LookAhead: 100}, nil)
				p.Sends(append(frames, script.Close(1000, ""))...)
				take(p)
				synctest.Wait()
				s := p.Conn.Stats()
				if s.MessagesIn != 2*messages || s.PingsIn != messages || s.BytesIn != int64(len(p.Bytes(append(frames, script.Close(1000, ""))...))) {
					t.Errorf("counted are %+v", s)
				}
			})
		}
	}
}

// What the last subscriber was not given is kept, and no more is read than the
// look-ahead allows, until somebody takes messages.
func TestWhatIsKeptIsBounded(t *testing.T) {
	bubble(t, "a channel that is left", func(t *testing.T) {
		const ahead, queued, hand = 32 << 10, 64 << 10, 128 << 10 // what is in hand is 128 messages
		p := script.Client(t, &stream.Options{LookAhead: ahead})
		s := p.Conn.Chan(ctx, &stream.SubscribeOptions{Bytes: queued})
		for range 10_000 {
			p.Sends(script.Binary(make([]byte, 1<<10)))
		}
		time.Sleep(time.Minute)
		s.Cancel()
		time.Sleep(time.Hour)
		n := p.Conn.Stats().BytesIn
		if most := int64(ahead + queued + hand + 64<<10); n > most || n < queued {
			t.Errorf("%d bytes were read, want up to %d", n, most)
		}
		if !p.Conn.Stats().Held {
			t.Error("the connection goes on reading")
		}
	})
}
