package stream_test

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// streamEnds are ways in which the stream of messages ends although bytes
// stand behind its end.
var streamEnds = map[string]func(p *script.Peer){
	"a Close": func(p *script.Peer) { p.Sends(script.Close(1000, ""), script.Text("behind")) },
	"a continuation of nothing": func(p *script.Peer) {
		p.Sends(script.Last(string(p.Bytes(script.Text("behind")))), script.Text("behind"))
	},
	"a message over the limit": func(p *script.Peer) { p.Sends(script.Binary(make([]byte, 2000)), script.Text("behind")) },
	"text that is not UTF-8":   func(p *script.Peer) { p.Sends(script.Text("bad \xFF"), script.Text("behind")) },
	"a cut within a frame": func(p *script.Peer) {
		p.Sends(script.Binary(make([]byte, 1000)).First(500))
		p.Cuts()
	},
}

// A stream that has ended stays so: whoever takes messages after it gets none,
// and the error that the first taker got.
func TestEndedStreamStaysEnded(t *testing.T) {
	for name, end := range streamEnds {
		for _, f := range faces {
			if f.endless {
				continue
			}
			bubble(t, name+"/"+f.name, func(t *testing.T) {
				p := script.Client(t, &stream.Options{SizeLimit: 1000})
				app := takeAll(p.Conn)
				p.Sends(script.Text("before"))
				end(p)
				within(t, "the end of All's loop", app.done)
				sameMessages(t, app.messages, []stream.Message{text("before")})
				for range 2 {
					messages, err := f.take(ctx, p.Conn).ends(t)
					if len(messages) > 0 || err != app.err {
						t.Errorf("%d messages came, then %v; want none and %v", len(messages), err, app.err)
					}
				}
			})
		}
	}
}

// The cause of a context is the caller's, and says nothing of this connection
// whatever its type is.
func TestContextsCauseIsNotTheConnections(t *testing.T) {
	breach := &result.ProtocolError{Code: 1002, What: "of another connection"}
	for name, cause := range map[string]error{"breach": breach, "failure": &result.ConnectionFailed{Err: breach}} {
		bubble(t, name, func(t *testing.T) {
			p := script.Client(t, nil)
			over, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(time.Second, func() { cancel(cause) })
			if _, err := firstOf(t, p.Conn.All(over)); err != cause {
				t.Errorf("All gives %v, want the cause", err)
			}
			if _, _, err := p.Conn.Reader(over); err != cause {
				t.Errorf("Reader gives %v, want the cause", err)
			}
			isOpen(t, p)
			p.Sends(script.Text("a"))
			if m, err := firstOf(t, p.Conn.All(ctx)); err != nil || m.String() != "a" {
				t.Errorf("the next loop gets %q, %v", m.Data, err)
			}
		})
	}
}

// A fault that is found after the peer's Close has come is the stream's alone:
// the connection ends with that Close.
func TestFaultBehindTheCloseIsTheStreams(t *testing.T) {
	bubble(t, "bad text before the Close", func(t *testing.T) {
		p := script.Client(t, nil)
		p.StopsReading()
		synctest.Wait()
		go p.Conn.SendBinary(ctx, make([]byte, 200<<10))
		synctest.Wait()
		p.Sends(script.Text("bad \xFF"), script.Close(1000, "bye"))
		time.Sleep(2 * time.Second) // the Close is seen, and cannot be answered
		app := takeAll(p.Conn)
		app.fails(t, 1007)
		if s := status(t, p.Conn); s.Code != 1000 || s.Reason != "bye" || s.Received != 1000 || s.Err != nil {
			t.Errorf("the status is %+v", s)
		}
	})
}

// Once somebody has taken a message, closing drops none: neither those between
// two loops, nor the rest of the one in a Reader.
func TestCloseKeepsATakersMessages(t *testing.T) {
	bubble(t, "between two loops", func(t *testing.T) {
		p := script.Client(t, &stream.Options{LookAhead: 1000})
		p.Sends(script.Text("first"))
		for range p.Conn.All(ctx) {
			break
		}
		p.Sends(script.Text(letters(3000)))
		time.Sleep(5 * time.Second)
		p.Conn.Close(1000, "")
		p.Sends(script.Close(1000, ""))
		time.Sleep(time.Second)
		app := takeAll(p.Conn)
		app.ends(t, nil)
		sameMessages(t, app.messages, []stream.Message{text(letters(3000))})
	})
	bubble(t, "of which a loop has seen a part", func(t *testing.T) {
		p := script.Client(t, &stream.Options{LookAhead: 1000})
		big := script.Binary(filler(10000))
		p.Sends(big.First(5000))
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		for range p.Conn.All(short) {
		}
		p.Sends(big.Rest(5000), script.Binary(filler(3000)))
		time.Sleep(5 * time.Second)
		p.Conn.Close(1000, "")
		p.Sends(script.Close(1000, ""))
		time.Sleep(time.Second)
		app := takeAll(p.Conn)
		app.ends(t, nil)
		sameMessages(t, app.messages, []stream.Message{bin(filler(10000)), bin(filler(3000))})
	})
	bubble(t, "in a Reader", func(t *testing.T) {
		p := script.Client(t, &stream.Options{LookAhead: 1000})
		p.Sends(script.Binary(bytes.Repeat([]byte("x"), 3000)))
		_, r, err := p.Conn.Reader(ctx)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 10)
		r.Read(b)
		p.Sends(script.Binary(make([]byte, 3000)))
		time.Sleep(5 * time.Second)
		p.Conn.Close(1000, "")
		time.Sleep(time.Second)
		if n, err := r.Read(b); err != nil || string(b[:n]) != "xxxxxxxxxx" {
			t.Errorf("Read gives %q, %v", b[:n], err)
		}
	})
}
