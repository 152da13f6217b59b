package stream_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// "All control frames MUST have a payload length of 125 bytes or less and MUST
// NOT be fragmented."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5
func TestSection5_5ControlFrames(t *testing.T) {
	kinds := map[string]byte{"close": script.OpClose, "ping": script.OpPing, "pong": script.OpPong}
	for name, op := range kinds {
		body := func(n int) string { return "\x03\xe8" + letters(n-2) }
		cases := []inbound{
			{name: name + " in fragments", sends: []script.Frame{script.Of(op, body(4)).Open(), script.Last("d")}, breach: 1002},
			{name: name + " without FIN", sends: []script.Frame{script.Of(op, "").Open()}, breach: 1002},
			{name: name + " without FIN, in a message", sends: []script.Frame{script.Text("a").Open(), script.Of(op, body(4)).Open(), script.Last("d")}, breach: 1002},
		}
		for _, n := range []int{126, 127, 255, 65535, 65536} {
			cases = append(cases, inbound{
				name:  fmt.Sprintf("%s of %d bytes", name, n),
				sends: []script.Frame{script.Of(op, body(n))}, breach: 1002,
			}, inbound{
				name:  fmt.Sprintf("%s of %d bytes, of which none came", name, n),
				sends: []script.Frame{script.Of(op, "").Claiming(uint64(n))}, breach: 1002,
			})
		}
		run(t, "5.5", cases)
	}
}

// What an operator sends through Link.Control keeps to the same rules.
func TestSection5_5Sent(t *testing.T) {
	inBothRoles(t, "5.5", "sending control frames of 0 to 130 bytes", func(t *testing.T, s side) {
		h := &hand{}
		p := s.start(t, &stream.Options{Operators: []stream.Operator{h}})
		for n := range 130 {
			for _, kind := range []stream.Type{stream.Ping, stream.Pong} {
				err := h.link.Control(kind, []byte(letters(n)))
				switch {
				case n > 125:
					isArgument(t, err)
				case err != nil:
					t.Errorf("%v of %d bytes: %v", kind, n, err)
				default:
					p.Wants("the control frame", script.Of(byte(kind), letters(n)))
				}
			}
		}
		p.WantsSilence("for what is too long")
	})
	for _, kind := range []stream.Type{0, stream.Text, stream.Binary, stream.Close, 3, 0xB, 0x19} {
		inBothRoles(t, "5.5", fmt.Sprintf("Link.Control of type %#x", byte(kind)), func(t *testing.T, s side) {
			h := &hand{}
			p := s.start(t, &stream.Options{Operators: []stream.Operator{h}})
			isArgument(t, h.link.Control(kind, []byte("\x03\xe8")))
			p.WantsSilence("for what is no Ping or Pong")
		})
	}
}

// "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in
// response", and it "must have identical "Application data" as found in the
// message body of the Ping frame being replied to."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.2
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.3
func TestSection5_5_2Ping(t *testing.T) {
	var cases []inbound
	for _, n := range []int{0, 1, 2, 3, 4, 5, 63, 64, 65, 124, 125} {
		cases = append(cases, inbound{
			name:  fmt.Sprintf("of %d bytes", n),
			sends: []script.Frame{script.Ping(filler(n))}, pongs: []string{string(filler(n))},
		})
	}
	cases = append(cases,
		inbound{name: "of bytes that are not UTF-8", sends: []script.Frame{script.Ping("\xff\x00\xfe")}, pongs: []string{"\xff\x00\xfe"}},
		inbound{name: "ten in a row", sends: []script.Frame{
			script.Ping("0"), script.Ping("1"), script.Ping("2"), script.Ping("3"), script.Ping("4"),
			script.Ping("5"), script.Ping("6"), script.Ping("7"), script.Ping("8"), script.Ping("9"),
		}, pongs: []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}},
		inbound{name: "between messages", sends: []script.Frame{script.Text("a"), script.Ping("p"), script.Text("b")},
			yields: []stream.Message{text("a"), text("b")}, pongs: []string{"p"}},
		inbound{name: "then a close", sends: []script.Frame{script.Ping("p")}, pongs: []string{"p"}},
	)
	run(t, "5.5.2", cases)
}

// Each of a few Pings that come at once is answered, on a transport that is no
// plain socket too: the rule allows less, but peers that match Pongs to their
// Pings count on it.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.3
func TestSection5_5_3EachPing(t *testing.T) {
	inBothRoles(t, "5.5.3", "each of ten Pings in one write", func(t *testing.T, s side) {
		p := s.start(t, nil)
		app := takeAll(p.Conn)
		var pings []script.Frame
		for i := range 10 {
			pings = append(pings, script.Ping(fmt.Sprint("payload-", i)))
		}
		p.Sends(pings...)
		for i := range 10 {
			p.Wants("each Pong in order", script.Of(script.OpPong, fmt.Sprint("payload-", i)))
		}
		p.Sends(script.Close(1000, ""))
		p.WantsClose(1000)
		app.ends(t, nil)
	})
}

// A Ping is answered whatever the application does.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.2
func TestSection5_5_2PingWhileAway(t *testing.T) {
	aways := []struct {
		name string
		away func(t *testing.T, c *stream.Conn, back chan struct{})
	}{
		{"nobody takes", func(*testing.T, *stream.Conn, chan struct{}) {}},
		{"All's loop is away", func(t *testing.T, c *stream.Conn, back chan struct{}) {
			go func() {
				for range c.All(t.Context()) {
					<-back
				}
			}()
		}},
		{"All's loop was cancelled where nothing came", func(t *testing.T, c *stream.Conn, _ chan struct{}) {
			inner, cancel := context.WithCancel(t.Context())
			app := takeAllIn(inner, c)
			time.Sleep(time.Minute)
			cancel()
			app.ends(t, context.Canceled)
		}},
		{"a Reader is not read", func(t *testing.T, c *stream.Conn, back chan struct{}) {
			go func() {
				c.Reader(t.Context())
				<-back
			}()
		}},
		{"a pause is held", func(_ *testing.T, c *stream.Conn, _ chan struct{}) {
			c.Pause()
			takeAll(c)
		}},
		{"a pause is held, nobody takes", func(_ *testing.T, c *stream.Conn, _ chan struct{}) { c.Pause() }},
		{"a subscriber is full", func(t *testing.T, c *stream.Conn, _ chan struct{}) {
			c.Chan(t.Context(), &stream.SubscribeOptions{Size: 1})
		}},
		{"a callback does not return", func(_ *testing.T, c *stream.Conn, back chan struct{}) {
			c.OnText(func(string) { <-back })
		}},
		{"an Observable is full", func(t *testing.T, c *stream.Conn, _ chan struct{}) {
			c.Observable(&stream.SubscribeOptions{Size: 1}).Observe(rxgo.WithContext(t.Context()))
		}},
	}
	for _, test := range aways {
		inBothRoles(t, "5.5.2", "answered while "+test.name, func(t *testing.T, s side) {
			p := s.start(t, nil)
			back := make(chan struct{})
			defer close(back)
			test.away(t, p.Conn, back)
			for range 10 {
				p.Sends(script.Text("a"))
			}
			for i := range 5 {
				ping := fmt.Sprint("ping ", i)
				p.Sends(script.Ping(ping))
				p.Wants("a pong although "+test.name, script.Pong(ping))
				time.Sleep(7 * time.Second)
			}
		})
	}
}

// A Pong is owed until the peer's Close has come, also after this side's own.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.2
func TestSection5_5_2PingAndClose(t *testing.T) {
	inBothRoles(t, "5.5.2", "before the peer's close, after ours", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		if err := p.Conn.Close(1000, ""); err != nil {
			t.Fatal(err)
		}
		p.WantsClose(1000)
		p.Sends(script.Ping("still there?"))
		p.Wants("a pong while no close came", script.Pong("still there?"))
	})
	inBothRoles(t, "5.5.2", "after the peer's close", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		p.Sends(script.Close(1000, ""), script.Ping("too late"))
		p.WantsClose(1000)
		if s.role == stream.Server {
			p.WantsEOF()
			return
		}
		p.WantsSilence("after both Close frames")
	})
}

// "A Pong frame MAY be sent unsolicited. This serves as a unidirectional
// heartbeat. A response to an unsolicited Pong frame is not expected."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.3
func TestSection5_5_3Pong(t *testing.T) {
	run(t, "5.5.3", []inbound{
		{name: "unsolicited", sends: []script.Frame{script.Pong("a")}},
		{name: "empty", sends: []script.Frame{script.Pong("")}},
		{name: "of 125 bytes", sends: []script.Frame{script.Pong(filler(125))}},
		{name: "between messages", sends: []script.Frame{script.Text("a"), script.Pong("p"), script.Text("b")}, yields: []stream.Message{text("a"), text("b")}},
		{name: "between fragments", sends: []script.Frame{script.Text("a").Open(), script.Pong("p"), script.Last("b")}, yields: []stream.Message{text("ab")}},
	})
	inBothRoles(t, "5.5.3", "the last of many pings is answered", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		p.StopsReading()
		for i := range 1000 {
			p.Sends(script.Ping(fmt.Sprint(i)))
		}
		p.Sent()
		p.ReadsOn()
		last := -1
		for last != 999 {
			var i int
			f := p.Next("a pong")
			if _, err := fmt.Sscan(string(f.Payload), &i); err != nil || i <= last || f.Opcode != script.OpPong {
				t.Fatalf("after pong %d came %v", last, f)
			}
			last = i
		}
	})
}
