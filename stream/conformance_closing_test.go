package stream_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// "when a server is instructed to _Close the WebSocket Connection_ it SHOULD
// initiate a TCP Close immediately, and when a client is instructed to do the
// same, it SHOULD wait for a TCP Close from the server."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.1.1
func TestSection7_1_1TCP(t *testing.T) {
	closes := map[string]func(p *script.Peer){
		"the peer closed": func(p *script.Peer) {
			p.Sends(script.Close(1000, ""))
			p.WantsClose(1000)
		},
		"we closed": func(p *script.Peer) {
			p.Conn.Close(1000, "")
			p.WantsClose(1000)
			p.Sends(script.Close(1000, ""))
		},
		"both closed": func(p *script.Peer) {
			p.StopsReading()
			p.Conn.Close(1000, "")
			p.Sends(script.Close(1000, ""))
			p.Sent()
			p.ReadsOn()
			p.WantsClose(1000)
		},
	}
	for name, closing := range closes {
		for _, taken := range []bool{true, false} {
			if !taken {
				name += ", nobody takes"
			}
			start := func(t *testing.T, s stream.Role, o *stream.Options) *script.Peer {
				p := script.Start(t, s, o, nil)
				if taken {
					takeAll(p.Conn)
				}
				closing(p)
				return p
			}
			rule(t, "7.1.1", "a server closes TCP at once, "+name, func(t *testing.T) {
				began := time.Now()
				p := start(t, stream.Server, nil)
				p.WantsEOF()
				if waited := time.Since(began); waited > time.Second {
					t.Errorf("the server waited for %v", waited)
				}
			})
			rule(t, "7.1.1", "a client waits for the server, "+name, func(t *testing.T) {
				p := start(t, stream.Client, nil)
				status(t, p.Conn)
				time.Sleep(4 * time.Second)
				p.WantsSilence("before the server closes TCP")
			})
			rule(t, "7.1.1", "a client waits no longer than the deadline, "+name, func(t *testing.T) {
				p := start(t, stream.Client, &stream.Options{CloseTimeout: 11 * time.Second})
				began := time.Now()
				p.WantsEOF()
				if waited := time.Since(began); waited > 11*time.Second || waited < 9*time.Second {
					t.Errorf("the client waited for %v, want at most 11 s and not much less", waited)
				}
			})
			rule(t, "7.1.1", "a client is done when the server has closed TCP, "+name, func(t *testing.T) {
				p := start(t, stream.Client, nil)
				p.Cuts()
				s := status(t, p.Conn)
				if s.Code != 1000 || s.Err != nil {
					t.Errorf("the status is %+v", s)
				}
			})
		}
	}
	rule(t, "7.1.1", "trailing bytes are discarded", func(t *testing.T) {
		p := script.Client(t, nil)
		app := takeAll(p.Conn)
		p.Sends(script.Close(1000, ""))
		p.SendsIn(4096, script.Binary(filler(300000)))
		p.WantsClose(1000)
		p.Sent()
		app.ends(t, nil)
		sameMessages(t, app.messages, nil)
	})
}

// "an endpoint MUST send a Close control frame [...] whose status code is set
// to /code/ and whose close reason is set to /reason/."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.1.2
func TestSection7_1_2Start(t *testing.T) {
	inBothRoles(t, "7.1.2", "reasons of 0 to 123 bytes", func(t *testing.T, s side) {
		for n := range 124 {
			p := s.start(t, nil)
			takeAll(p.Conn)
			if err := p.Conn.Close(3000, letters(n)); err != nil {
				t.Errorf("a reason of %d bytes: %v", n, err)
			}
			if reason := p.WantsClose(3000); reason != letters(n) {
				t.Errorf("the reason of %d bytes came as %q", n, reason)
			}
			p.Sends(script.Close(3000, ""))
			p.End()
		}
	})
	bad := map[string]string{
		"124 bytes": letters(124), "126 bytes": letters(126), "70000 bytes": letters(70000),
		"a rune across byte 123": letters(122) + "é", "a lone byte": "\xff", "half a rune": "\xe2\x82", "a surrogate": "\xed\xa0\x80",
	}
	for name, reason := range bad {
		inBothRoles(t, "7.1.2", "a reason of "+name, func(t *testing.T, s side) {
			p := s.start(t, nil)
			takeAll(p.Conn)
			isArgument(t, p.Conn.Close(1000, reason))
			isOpen(t, p)
		})
	}
	inBothRoles(t, "7.1.2", "a reason of 41 runes", func(t *testing.T, s side) {
		p := s.start(t, nil)
		if err := p.Conn.Close(1000, strings.Repeat("€", 41)); err != nil {
			t.Fatal(err)
		}
		if reason := p.WantsClose(1000); reason != strings.Repeat("€", 41) {
			t.Errorf("it came as %q", reason)
		}
	})
	inBothRoles(t, "7.1.2", "no code, no reason", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		isArgument(t, p.Conn.Close(1005, "a reason needs a code"))
		if err := p.Conn.Close(1005, ""); err != nil {
			t.Fatal(err)
		}
		p.WantsClose(1005)
		p.Sends(script.CloseEmpty())
		endedPlainly(t, p.Conn, result.Status{Code: 1005, Sent: 1005, Received: 1005})
	})
}

// "Upon either sending or receiving a Close control frame, it is said that _The
// WebSocket Closing Handshake is Started_": it is done when there were both.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.1.3
func TestSection7_1_3Orders(t *testing.T) {
	inBothRoles(t, "7.1.3", "we close first", func(t *testing.T, s side) {
		p := s.start(t, nil)
		app := takeAll(p.Conn)
		p.Conn.Close(1000, "enough")
		p.WantsClose(1000)
		synctest.Wait()
		if _, settled := p.Conn.Result().Status(); settled {
			t.Error("settled before the peer's Close")
		}
		p.Sends(script.Close(1000, "agreed"))
		app.ends(t, nil)
		endedPlainly(t, p.Conn, result.Status{Code: 1000, Reason: "agreed", Sent: 1000, Received: 1000})
	})
	inBothRoles(t, "7.1.3", "we close first, the peer with another code", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		p.Conn.Close(1000, "")
		p.WantsClose(1000)
		p.Sends(script.Close(4001, "no"))
		err := ended(t, p.Conn, result.Status{Code: 4001, Reason: "no", Sent: 1000, Received: 4001})
		var closed *result.CloseError
		if !errors.As(err, &closed) || closed.Code != 4001 || closed.Reason != "no" {
			t.Errorf("the error is %v", err)
		}
	})
	inBothRoles(t, "7.1.3", "both close at the same time", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		p.StopsReading()
		p.Conn.Close(1000, "ours")
		synctest.Wait()
		p.Sends(script.Close(1000, "theirs"))
		p.Sent()
		p.ReadsOn()
		if reason := p.WantsClose(1000); reason != "ours" {
			t.Errorf("our reason came as %q", reason)
		}
		got := status(t, p.Conn)
		if got.Code != 1000 || got.Reason != "theirs" || got.Sent != 1000 || got.Received != 1000 || got.Err != nil {
			t.Errorf("the status is %+v", got)
		}
	})
	inBothRoles(t, "7.1.3", "the peer closes in the middle of its message", func(t *testing.T, s side) {
		p := s.start(t, nil)
		app := takeAll(p.Conn)
		p.Sends(script.Text("half ").Open(), script.Close(1000, ""))
		p.WantsClose(1000)
		app.ends(t, nil)
		sameMessages(t, app.messages, nil)
	})
	inBothRoles(t, "7.1.3", "the peer never answers", func(t *testing.T, s side) {
		p := s.start(t, nil)
		app := takeAll(p.Conn)
		began := time.Now()
		p.Conn.Close(1000, "")
		p.WantsClose(1000)
		within(t, "the end", app.done)
		if waited := time.Since(began); waited != 5*time.Second {
			t.Errorf("it waited for %v, want 5 s", waited)
		}
		isFailed(t, app.err)
		isFailed(t, ended(t, p.Conn, result.Status{Code: 1006, Sent: 1000}))
		p.WantsEOF()
	})
	inBothRoles(t, "7.1.3", "the peer never answers, but sends", func(t *testing.T, s side) {
		p := s.start(t, &stream.Options{CloseTimeout: 3 * time.Second})
		takeAll(p.Conn)
		began := time.Now()
		p.Conn.Close(1000, "")
		p.WantsClose(1000)
		for range 10 {
			p.Sends(script.Text("not yet"))
			time.Sleep(time.Second / 2)
		}
		isFailed(t, ended(t, p.Conn, result.Status{Code: 1006, Sent: 1000}))
		if waited := time.Since(began); waited > 5*time.Second {
			t.Errorf("it waited for %v, want 3 s", waited)
		}
	})
	inBothRoles(t, "7.1.3", "the peer does not even read", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		p.StopsReading()
		began := time.Now()
		go p.Conn.SendBinary(ctx, filler(10<<20))
		synctest.Wait()
		p.Conn.Close(1000, "")
		isFailed(t, status(t, p.Conn).Err)
		if waited := time.Since(began); waited != 5*time.Second {
			t.Errorf("it waited for %v, want 5 s", waited)
		}
	})
}

// "If the TCP connection is closed after the WebSocket closing handshake was
// completed, the WebSocket connection is said to have been closed _cleanly_."
// That the connection is closed is known before any stream of it ends.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.1.4
func TestSection7_1_4Closed(t *testing.T) {
	endings := []struct {
		name  string
		end   func(p *script.Peer)
		clean bool
	}{
		{"after the peer's close and ours", func(p *script.Peer) { p.Sends(script.Close(1000, "")); p.WantsClose(1000); p.Cuts() }, true},
		{"after our close and the peer's", func(p *script.Peer) {
			p.Conn.Close(1000, "")
			p.WantsClose(1000)
			p.Sends(script.Close(1000, ""))
			p.Cuts()
		}, true},
		{"in the segment of the peer's close", func(p *script.Peer) { p.Sends(script.CloseEmpty()); p.Cuts() }, true},
		{"after our close alone", func(p *script.Peer) { p.Conn.Close(1000, ""); p.WantsClose(1000); p.Cuts() }, false},
		{"without any close", func(p *script.Peer) { p.Cuts() }, false},
		{"in the middle of the peer's close", func(p *script.Peer) { p.Sends(script.Close(1000, "").First(3)); p.Cuts() }, false},
	}
	for _, ending := range endings {
		inBothRoles(t, "7.1.4", "TCP is closed "+ending.name, func(t *testing.T, s side) {
			p := s.start(t, nil)
			first := make(chan bool, 1)
			sub := p.Conn.Chan(ctx, nil)
			go func() {
				for range sub.C {
				}
				_, settled := p.Conn.Result().Status()
				first <- settled
			}()
			ending.end(p)
			if !within(t, "the stream's end", first) {
				t.Error("the stream ended before the connection")
			}
			got := status(t, p.Conn)
			if clean := got.Received != 0 && got.Err == nil; clean != ending.clean || (sub.Err() == nil) != clean {
				t.Errorf("the status is %+v, the stream ended with %v, clean must be %t", got, sub.Err(), ending.clean)
			}
		})
	}
}
