package stream_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Texts of all lengths of runes, and the edges of each length.
var validTexts = []string{
	"κόσμε", "a\x00é€🎉z", "\u0080\u07ff\u0800\uffff\U00010000\U0010ffff", "\ud7ff\ue000\ufffd\ufeff",
	"𐀀𐀀𐀀𐀀𐀀", strings.Repeat("€", 30), "ascii and then é", "\ufdd0\ufffe\U0001ffff\U0010fffe",
}

// Each ends with the first octet that no valid text could have there.
//
// https://www.rfc-editor.org/rfc/rfc3629.html#section-4
var invalidTexts = []struct{ name, octets string }{
	{"a continuation octet 80", "\x80"},
	{"a continuation octet bf", "\xbf"},
	{"fe", "\xfe"},
	{"ff", "\xff"},
	{"f5", "\xf5"},
	{"f8, of five octets", "\xf8"},
	{"fc, of six octets", "\xfc"},
	{"overlong in two octets: c0", "\xc0"},
	{"overlong in two octets: c1", "\xc1"},
	{"overlong in three octets", "\xe0\x9f"},
	{"overlong NUL in three octets", "\xe0\x80"},
	{"overlong in four octets", "\xf0\x8f"},
	{"overlong NUL in four octets", "\xf0\x80"},
	{"the first surrogate", "\xed\xa0"},
	{"the last surrogate", "\xed\xbf"},
	{"beyond U+10FFFF", "\xf4\x90"},
	{"two octets, the second ASCII", "\xcea"},
	{"two octets, the second a start", "\xce\xce"},
	{"three octets, the second ASCII", "\xe2a"},
	{"three octets, the third ASCII", "\xe2\x82a"},
	{"three octets, the third a start", "\xe2\x82\xe2"},
	{"four octets, the second ASCII", "\xf0a"},
	{"four octets, the third ASCII", "\xf0\x9fa"},
	{"four octets, the fourth ASCII", "\xf0\x9f\x8ea"},
	{"four octets, the fourth too large", "\xf0\x9f\x8e\xc0"},
	{"one continuation octet too many", "é\x80"},
}

func TestSection8_1Valid(t *testing.T) {
	for _, s := range validTexts {
		want := []stream.Message{text(s)}
		cases := []inbound{{name: fmt.Sprintf("%+q", s), sends: []script.Frame{script.Text(s)}, yields: want}}
		for cut := range len(s) + 1 {
			cases = append(cases, inbound{
				name:  fmt.Sprintf("%+q in two fragments at %d", s, cut),
				sends: []script.Frame{script.Text(s[:cut]).Open(), script.Ping("p"), script.Last(s[cut:])}, yields: want, pongs: []string{"p"},
			})
		}
		cases = append(cases, inbound{name: fmt.Sprintf("%+q in fragments of an octet", s), sends: split(script.Text(s), 1), yields: want})
		run(t, "8.1", cases[:1])
		for _, in := range cases[1:] {
			inBothRoles(t, "8.1", in.name, func(t *testing.T, s side) { in.run(t, s.start(t, nil), ways[0]) })
		}
	}
}

// "When an endpoint is to interpret a byte stream as UTF-8 but finds that the
// byte stream is not, in fact, a valid UTF-8 stream, that endpoint MUST _Fail
// the WebSocket Connection_."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-8.1
func TestSection8_1Invalid(t *testing.T) {
	for _, bad := range invalidTexts {
		if viable(bad.octets) || !viable(bad.octets[:len(bad.octets)-1]) {
			t.Fatalf("%s: the table is wrong", bad.name)
		}
		rest := bad.octets + " and more"
		run(t, "8.1", []inbound{
			{name: bad.name, sends: []script.Frame{script.Text(rest)}, breach: 1007},
			{name: bad.name + ", at the end", sends: []script.Frame{script.Text("text " + bad.octets)}, breach: 1007},
			{name: bad.name + ", after a message", sends: []script.Frame{script.Text("é"), script.Text(rest)}, yields: []stream.Message{text("é")}, breach: 1007},
			{name: bad.name + ", in the second fragment", sends: []script.Frame{script.Text("é").Open(), script.Last(rest)}, breach: 1007},
			{name: bad.name + ", over two fragments", sends: []script.Frame{script.Text(bad.octets[:len(bad.octets)-1]).Open(), script.Last(rest[len(bad.octets)-1:])}, breach: 1007},
			{name: bad.name + ", after 70000 octets", sends: []script.Frame{script.Text(letters(70000) + rest)}, breach: 1007},
		})
	}
}

// viable reports whether the octets can be the beginning of a valid text.
func viable(s string) bool {
	for s != "" && utf8.FullRuneInString(s) {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			return false
		}
		s = s[n:]
	}
	return true
}

// A rune that the end of the message cuts is as invalid.
func TestSection8_1Incomplete(t *testing.T) {
	for _, r := range []string{"é", "€", "🎉", "\U0010ffff", "\ud7ff"} {
		for n := 1; n < len(r); n++ {
			cut := r[:n]
			run(t, "8.1", []inbound{
				{name: fmt.Sprintf("%+q ends after %d octets", r, n), sends: []script.Frame{script.Text("text " + cut)}, breach: 1007},
				{name: fmt.Sprintf("%+q ends after %d octets, in a fragment", r, n), sends: []script.Frame{script.Text("text ").Open(), script.Last(cut)}, breach: 1007},
				{name: fmt.Sprintf("%+q ends after %d octets, then an empty fragment", r, n), sends: []script.Frame{script.Text(cut).Open(), script.Last("")}, breach: 1007},
				{name: fmt.Sprintf("%+q ends after %d octets, the rest in the next message", r, n), sends: []script.Frame{script.Text(cut), script.Text(r[n:])}, breach: 1007},
				{name: fmt.Sprintf("%+q ends after %d octets, as binary", r, n), sends: []script.Frame{script.Binary(cut)}, yields: []stream.Message{bin(cut)}},
			})
		}
	}
}

// The connection fails at the first offending octet: not before it, and not
// later, although neither the frame nor the message has ended.
func TestSection8_1FailsFast(t *testing.T) {
	for _, bad := range invalidTexts {
		for _, before := range []int{0, 1, 7, 8, 9, 31, 63, 64, 65, 5000} {
			good := letters(before) + bad.octets[:len(bad.octets)-1]
			offence := len(good) // the offset in the payload
			whole := script.Text(letters(before) + bad.octets + "the rest of the frame")
			name := fmt.Sprintf("%s, after %d octets, inside a frame", bad.name, before)
			inBothRoles(t, "8.1", name, func(t *testing.T, s side) {
				p := s.start(t, nil)
				app := takeAll(p.Conn)
				failsFast(p, whole, offence)
				app.fails(t, 1007)
			})
			name = fmt.Sprintf("%s, after %d octets, inside the second frame", bad.name, before)
			inBothRoles(t, "8.1", name, func(t *testing.T, s side) {
				p := s.start(t, nil)
				app := takeAll(p.Conn)
				whole := script.More(bad.octets + "the rest of the frame")
				p.Sends(script.Text(letters(before)).Open())
				failsFast(p, whole, len(bad.octets)-1)
				app.fails(t, 1007)
			})
		}
	}
}

// failsFast sends the frame up to the offending octet of its payload, then that
// octet.
func failsFast(p *script.Peer, whole script.Frame, offence int) {
	header := len(p.Bytes(whole)) - len(whole.Payload)
	p.Sends(whole.First(header + offence))
	p.WantsSilence("before the offending octet")
	p.Sends(whole.First(header + offence + 1).Rest(header + offence))
	p.WantsClose(1007)
}

// While the consumer is away the peer's Close is seen before the text that
// stands in front of it. The connection has ended well then, but the stream
// does not hide that a message is lost.
func TestSection8_1BehindACleanEnd(t *testing.T) {
	inBothRoles(t, "8.1", "found behind a clean end", func(t *testing.T, s side) {
		p := s.start(t, nil)
		p.Sends(script.Text("good"))
		var last error
		for _, err := range p.Conn.All(ctx) {
			if last = err; err == nil {
				p.Sends(script.Text("bad \xFF"), script.Close(1000, ""))
				<-p.Conn.Done()
			}
		}
		if got := status(t, p.Conn); got.Code != 1000 || got.Err != nil {
			t.Errorf("the connection ended with %+v", got)
		}
		var breach *result.ProtocolError
		if !errors.As(last, &breach) || breach.Code != 1007 || !errors.As(last, new(*result.ConnectionFailed)) {
			t.Errorf("All ended with %v, want a *result.ConnectionFailed around a breach with 1007", last)
		}
	})
}
