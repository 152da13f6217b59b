package deflate

import (
	"bytes"
	"compress/flate"
	"fmt"
	"strings"
	"testing"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// split returns a compressed message in frames of n bytes, with whatever stands
// between them.
func split(f script.Frame, n int, between ...script.Frame) (frames []script.Frame) {
	f = packed(f)
	for b := f.Payload; ; f = script.Last("") {
		if len(b) <= n {
			f.Payload = b
			return append(frames, f)
		}
		f.Payload, b = b[:n], b[n:]
		frames = append(append(frames, f.Open()), between...)
	}
}

// "Decompress the concatenation of the "Application data" of the frames."
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-6.2
func TestSection6_2Frames(t *testing.T) {
	plain := corpus("records", 2_000, 1)[0]
	m := compressed(plain, 6)
	want := []stream.Message{text(plain)}
	var cases []inbound
	for _, n := range []int{1, 2, 3, 50, 125, 126, len(m) - 1, len(m)} {
		cases = append(cases, inbound{name: fmt.Sprintf("frames of %d bytes", n), sends: split(script.Text(m), n), yields: want})
	}
	empty := split(script.Text(m), 10, script.More(""), script.More(""))
	var pinged []script.Frame
	var pings []string
	for i, f := range split(script.Text(hello), 1) {
		pings = append(pings, fmt.Sprint(i))
		pinged = append(pinged, f, script.Ping(pings[i]))
	}
	run(t, "6.2", append(cases,
		inbound{name: "empty fragments between", sends: empty, yields: want},
		inbound{name: "an empty first fragment", sends: []script.Frame{packed(script.Text("")).Open(), script.Last(m)}, yields: want},
		inbound{name: "an empty last fragment", sends: []script.Frame{packed(script.Text(m)).Open(), script.Last("")}, yields: want},
		inbound{name: "pongs between frames of a byte", sends: split(script.Text(hello), 1, script.Pong("p")), yields: []stream.Message{text("Hello")}},
		inbound{name: "pings between frames of a byte", sends: pinged, yields: []stream.Message{text("Hello")}, pongs: pings},
		inbound{name: "in fragments, then whole", sends: append(split(script.Text(m), 7), packed(script.Binary(hello))), yields: append(want, bin("Hello"))},
		inbound{name: "a message that a close cuts", sends: []script.Frame{packed(script.Text(hello)), packed(script.Text(m)).Open()}, yields: []stream.Message{text("Hello")}},
	))
}

// stored is a block of any bytes, with BFINAL as given.
func stored(final byte, p string) string {
	n := len(p)
	return string([]byte{final, byte(n), byte(n >> 8), ^byte(n), ^byte(n >> 8)}) + p
}

// "Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload of the
// message", and then inflate it, whatever blocks it is made of.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.2.2
func TestSection7_2_2Blocks(t *testing.T) {
	var cases []inbound
	for name, plain := range contents() {
		for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, 1, 6, 9} {
			if (raced || len(plain) > 20_000) && level > flate.NoCompression && level != 6 {
				continue
			}
			cases = append(cases, inbound{name: fmt.Sprintf("%s, level %d", name, level),
				sends: []script.Frame{packed(script.Binary(compressed(plain, level)))}, yields: []stream.Message{bin(plain)}})
		}
	}
	fixed, final := hello[:6]+"\x00", "\xf3"+hello[1:]
	empty := "\x00\x00\x00\xff\xff"
	for name, m := range map[string][2]string{
		"a block":                              {fixed, "Hello"},
		"a stored block":                       {stored(0, "Hello") + "\x00", "Hello"},
		"blocks of three types":                {stored(0, "Hello") + fixed + "\x00\x00\xff\xff" + string(compressed([]byte(letters), 9)), "HelloHello" + letters},
		"empty blocks between":                 {empty + stored(0, "Hel") + empty + empty + stored(0, "lo") + empty + "\x00", "Hello"},
		"BFINAL on the last block":             {final + "\x00", "Hello"},
		"BFINAL on a stored block":             {stored(1, "Hello") + "\x00", "Hello"},
		"BFINAL on the first of two blocks":    {final + fixed, "HelloHello"},
		"BFINAL on each of two blocks":         {final + final + "\x00", "HelloHello"},
		"BFINAL in the middle":                 {stored(0, "a") + stored(1, "b") + stored(0, "c") + "\x00", "abc"},
		"BFINAL on a dynamic block":            {string(closed([]byte(letters))) + "\x00", letters},
		"BFINAL, a copy from before the final": {final + "\xf2\x00\x11\x00\x00", "HelloHello"},
	} {
		cases = append(cases, inbound{name: name, sends: []script.Frame{packed(script.Binary(m[0]))}, yields: []stream.Message{bin(m[1])}},
			inbound{name: name + ", in frames of a byte", sends: split(script.Binary(m[0]), 1), yields: []stream.Message{bin(m[1])}},
			inbound{name: name + ", then another message", sends: []script.Frame{packed(script.Binary(m[0])), packed(script.Text(hello))}, yields: []stream.Message{bin(m[1]), text("Hello")}})
	}
	run(t, "7.2.2", cases)
}

var letters = strings.Repeat("The quick brown fox jumps over the lazy dog. ", 20)

// closed returns p compressed into a stream that ends with a block with BFINAL.
func closed(p []byte) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 9)
	w.Write(p)
	w.Close()
	return b.Bytes()
}

// What is no DEFLATE fails the connection, and so does what is not complete
// with the tail.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.2.2
func TestSection7_2_2Corrupt(t *testing.T) {
	good := packed(script.Text(hello))
	for name, m := range map[string]string{
		"a reserved block type":                 "\x06",
		"a stored block with a bad complement":  "\x00\x05\x00\xfa\xfe" + "Hello" + "\x00",
		"a stored block that the tail cuts":     "\x00\x05\x00\xfa\xff" + "He",
		"a stored block that lacks all":         "\x00\xff\x00\x00\xff",
		"a symbol cut off":                      hello[:4],
		"a block without an end":                hello[:5],
		"a dynamic block cut off":               string(compressed([]byte(letters), 9)[:20]),
		"a dynamic block with impossible codes": string(own(287, 1, nil).p),
		"a length symbol that does not exist":   string(new(bitString).number(0b010, 3).code("11000110").p),
		"a distance beyond all that came":       string(copies(6)),
		"a zlib header":                         "\x78\x9c" + hello,
		"a gzip header":                         "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + hello,
		"octets of ff":                          "\xff\xff\xff\xff",
	} {
		run(t, "7.2.2", []inbound{
			{name: name, sends: []script.Frame{packed(script.Binary(m)), good}, breach: 1007},
			{name: name + ", in a text", sends: []script.Frame{packed(script.Text(m)), good}, breach: 1007},
			{name: name + ", in frames of a byte", sends: split(script.Binary(m), 1), breach: 1007},
			{name: name + ", in the second message", sends: []script.Frame{script.Text("a"), packed(script.Binary(m))}, yields: []stream.Message{text("a")}, breach: 1007},
			{name: name + ", in the second fragment", sends: []script.Frame{packed(script.Binary("")).Open(), script.Last(m)}, breach: 1007},
		})
	}
}

// The connection fails at the octet that cannot be, not at the end of the
// message.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.2.2
func TestSection7_2_2FailsFast(t *testing.T) {
	for name, m := range map[string]string{
		"a reserved block type": stored(0, "Hello") + "\x06", "a bad complement": "\x00\x05\x00\xfa\xfe", "a distance beyond all": string(copies(6)[:2]),
	} {
		inBothRoles(t, "7.2.2", "fails at once: "+name, func(t *testing.T, s side) {
			p := s.start(t, defaults, Options{}, nil)
			app := takeAll(p.Conn)
			failsFast(p, packed(script.Binary(m+"more")).Open(), len(m)-1)
			app.fails(t, 1007)
		})
	}
}

// failsFast sends the frame up to the offending octet of its payload, then that
// octet.
func failsFast(p *script.Peer, whole script.Frame, offence int) {
	at := len(p.Bytes(whole)) - len(whole.Payload) + offence
	p.Sends(whole.First(at))
	p.WantsSilence("before the offending octet")
	p.Sends(whole.First(at + 1).Rest(at))
	p.WantsClose(1007)
}

// "The payload data portion in frames generated by a PMCE is not subject to the
// constraints for the original data type": a text's frames may hold anything,
// but what comes out of them must be UTF-8, by RFC 6455 section 8.1.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-6.2
func TestSection6_2Text(t *testing.T) {
	for _, valid := range []string{"κόσμε", "🎉", "a\x00é€🎉z", strings.Repeat("€", 3_000)} {
		m := string(compressed([]byte(valid), 6))
		run(t, "6.2", []inbound{
			{name: fmt.Sprintf("%.20q", valid), sends: []script.Frame{packed(script.Text(m))}, yields: []stream.Message{text(valid)}},
			{name: fmt.Sprintf("%.20q in frames of 3 bytes", valid), sends: split(script.Text(m), 3), yields: []stream.Message{text(valid)}},
			{name: fmt.Sprintf("%.20q, a block for each octet", valid[:3]), sends: split(script.Text(stored(0, valid[:1])+stored(0, valid[1:])+"\x00"), 4), yields: []stream.Message{text(valid)}},
		})
	}
	for _, bad := range []string{"\x80", "\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82a", strings.Repeat("a", 17_000) + "\xff"} {
		m := string(compressed([]byte(bad), 6))
		run(t, "6.2", []inbound{
			{name: fmt.Sprintf("%.20q", bad), sends: []script.Frame{packed(script.Text(m))}, breach: 1007},
			{name: fmt.Sprintf("%.20q in frames of a byte", bad), sends: split(script.Text(m), 1), breach: 1007},
			{name: fmt.Sprintf("%.20q as binary", bad), sends: []script.Frame{packed(script.Binary(m))}, yields: []stream.Message{bin(bad)}},
			{name: fmt.Sprintf("%.20q after a message", bad), sends: []script.Frame{packed(script.Text(hello)), packed(script.Text(m))}, yields: []stream.Message{text("Hello")}, breach: 1007},
		})
	}
	for _, half := range []string{"\xc3", "\xe2\x82", "\xf0\x9f\x8e", "text \xf0"} {
		m := string(compressed([]byte(half), 6))
		run(t, "6.2", []inbound{
			{name: fmt.Sprintf("%q at the end", half), sends: []script.Frame{packed(script.Text(m))}, breach: 1007},
			{name: fmt.Sprintf("%q at the end, then an empty fragment", half), sends: []script.Frame{packed(script.Text(m)).Open(), script.Last("")}, breach: 1007},
		})
	}
}

// A text fails at the first octet that is not UTF-8, although neither the
// frame nor the message, nor the block that it stands in, has ended.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-8.1
func TestSection6_2TextFailsFast(t *testing.T) {
	for _, before := range []string{"", "a", "é€🎉", letters} {
		for _, bad := range []string{"\x80", "\xc0", "\xed\xa0", "\xf4\x90", "\xe2\x82a", "\xf0\x9f\x8ea"} {
			block := stored(0, before+bad+"the rest of the block")
			inBothRoles(t, "6.2", fmt.Sprintf("%q after %d octets fails at once", bad, len(before)), func(t *testing.T, s side) {
				p := s.start(t, defaults, Options{}, nil)
				app := takeAll(p.Conn)
				failsFast(p, packed(script.Text(block)), 5+len(before)+len(bad)-1)
				app.fails(t, 1007)
			})
		}
	}
}
