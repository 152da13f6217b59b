package stream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A setting is the arrangement in which the bytes of a peer are read. Its bits
// choose one of everything.
type setting uint16

func (s setting) side() side       { return sides[s&1] }
func (s setting) operator() int    { return int(s >> 1 & 3) }
func (s setting) face() face       { return fuzzFaces[s>>3&3] }
func (s setting) arrival() arrival { return arrival(s >> 5 & 3) }
func (s setting) limit() int       { return []int{9000, 20}[s>>7&1] }
func (s setting) plain() bool      { return s>>8&1 != 0 } // the transport has no deadlines

// away reports that the consumer is not always there.
func (s setting) away() bool {
	return s.arrival() == whilePaused || s.arrival() == beforeTaken || s.face().name == "slow All"
}

func (s setting) reference() reference {
	return reference{
		server: s.side().role == stream.Server,
		owned:  []byte{0, 4, 0, 1}[s.operator()],
		all:    s.operator() == 2,
		whole:  s.face().name != "Reader",
		limit:  s.limit(),
	}
}

// An arrival is how bytes come in relation to the one who takes them.
type arrival int

const (
	asFast      arrival = iota // as they are taken
	slowly                     // a second apart
	whilePaused                // all of them during a pause
	beforeTaken                // all of them before anybody takes
)

var fuzzFaces = []face{
	{name: "All", take: takeWithAll},
	{name: "Reader", take: takeWithReader},
	{name: "Chan", take: takeWithChan},
	{name: "slow All", take: takeSlowly},
}

// takeSlowly is in All's loop, and away from the connection for a second with
// each of the first messages. What it was lent must still be there then.
func takeSlowly(ctx context.Context, c *stream.Conn) *taking {
	tk := newTaking()
	go func() {
		patience := 20
		var last error
		for m, err := range c.All(ctx) {
			if patience--; patience > 0 {
				time.Sleep(time.Second)
			}
			if last = err; err == nil {
				tk.messages <- m.Clone()
			}
		}
		tk.end <- last
	}()
	return tk
}

// operators returns the operators of a setting. They change no message.
func (s setting) operators() []stream.Operator {
	switch s.operator() {
	case 1:
		return []stream.Operator{passing{rsv: 4, most: 1 << 30}}
	case 2:
		return []stream.Operator{passing{rsv: 0, most: 1 << 30}}
	case 3:
		return []stream.Operator{passing{rsv: 1, most: 3}}
	}
	return nil
}

// A passing operator owns reserved bits and hands pieces on, cut smaller.
type passing struct {
	rsv  byte
	most int // bytes in a piece
}

func (p passing) Attach(*stream.Link) (stream.Hooks, error) {
	var left stream.Frame
	in := func(f stream.Frame) (out stream.Frame, more bool, err error) {
		if f.Type != 0 {
			left = f
		}
		out = left
		out.RSV &^= p.rsv
		if len(left.Payload) <= p.most {
			return out, false, nil
		}
		out.Payload, left.Payload = left.Payload[:p.most], left.Payload[p.most:]
		out.Last, out.End, left.First, left.Begin = false, false, false, false
		return out, true, nil
	}
	return stream.Hooks{In: in, RSV: p.rsv}, nil
}

// FuzzReader lets a peer send whatever it likes, cut where the bits of cuts
// say, and then cut the connection. All messages that are whole come, the
// connection ends as the reference says, once, and nothing panics, hangs or
// stays behind.
//
// It begins with a few settings of each seed, as the fuzzer runs all seeds
// before it makes inputs of its own.
func FuzzReader(f *testing.F) {
	for in := range seedsInSettings(62) {
		f.Add(in.bytes, uint16(in.setting), in.cuts)
	}
	f.Fuzz(func(t *testing.T, b []byte, s uint16, cuts uint64) {
		if len(b) > 16<<10 {
			t.Skip("longer than anything needs")
		}
		synctest.Test(t, func(t *testing.T) { setting(s).run(t, b, cuts) })
	})
}

// The first seed is read in every setting, the others in many.
func TestReaderInSettings(t *testing.T) {
	for in := range seedsInSettings(2) {
		t.Run(fmt.Sprintf("%.20x/setting %d/cuts %x", in.bytes, in.setting, in.cuts), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { in.setting.run(t, in.bytes, in.cuts) })
		})
	}
}

// A readerInput is what FuzzReader is about.
type readerInput struct {
	bytes   []byte
	setting setting
	cuts    uint64
}

// seedsInSettings yields the bytes of each of readerSeeds, as a server and as a
// client sends them, in settings that lie so far apart, or farther from seed to
// seed.
func seedsInSettings(apart int) iter.Seq[readerInput] {
	return func(yield func(readerInput) bool) {
		for i, frames := range readerSeeds {
			for role := range 2 {
				var b []byte
				for _, frame := range frames {
					b = append(b, frame.Bytes(role == 1)...)
				}
				for n := role; n < 1<<9; n += apart + i*14 {
					for _, cuts := range []uint64{uint64(i) * 0x9249249, ^uint64(0) << (i % 7)} {
						if !yield(readerInput{b, setting(n), cuts}) {
							return
						}
					}
				}
			}
		}
	}
}

var readerSeeds = [][]script.Frame{
	{script.Text("é"), script.Binary("\xff"), script.Ping("p"), script.Close(1000, "bye")},
	{script.Text("a").Open(), script.Ping("p"), script.More("é"), script.Last("c"), script.CloseEmpty(), script.Text("late")},
	{script.Text("a\xe2\x82").Open(), script.Last("\xac"), script.Close(4000, "")},
	{script.Text("a"), script.Text("b\xed\xa0"), script.Close(1001, "")},
	{script.Text("a"), script.Text("b\xe2"), script.Close(1000, "")},
	{script.Text("a").Reserved(4), script.Binary("abcdefghij").Reserved(1).Open(), script.Last("klm"), script.Close(1000, "")},
	{script.Text("a").Reserved(4).Open(), script.Last("b").Reserved(4), script.Close(1000, "")},
	{script.Text(letters(3000)), script.Binary(letters(3000)), script.Text(letters(5000)), script.Close(1000, "")},
	{script.Text("a"), script.Of(3, ""), script.Text("b")},
	{script.Text("a"), script.Last("b"), script.Close(1000, "")},
	{script.Text("a").Open(), script.Text("b"), script.Close(1000, "")},
	{script.Binary(letters(8999)).Open(), script.Last("a"), script.Last("b")},
	{script.Binary(letters(9001)), script.Close(1000, "")},
	{script.Text(letters(15)).Reserved(4).Open(), script.Last("abcdef\xff"), script.Close(1000, "")},
	{script.Text("a"), script.Binary("b").Claiming(1<<63 - 1)},
	{script.Text("a"), script.Binary("b").In16(), script.Text("c")},
	{script.Text("a"), script.Binary("b").Claiming(1 << 63).In64()},
	{script.Text("a"), script.Ping(letters(126))},
	{script.Text("a"), script.Of(script.OpClose, "\x03")},
	{script.Text("a"), script.Close(1006, "")},
	{script.Text("a"), script.Close(1000, "\xff")},
	{script.Text("a"), script.Pong("").Open(), script.Text("b")},
}

func (s setting) run(t *testing.T, b []byte, cuts uint64) {
	var wrap func(net.Conn) io.ReadWriteCloser
	if s.plain() {
		wrap = func(nc net.Conn) io.ReadWriteCloser { return struct{ io.ReadWriteCloser }{nc} }
	}
	w := &watcher{}
	o := &stream.Options{SizeLimit: int64(s.limit()), Operators: append(s.operators(), w)}
	p := script.Start(t, s.side().role, o, wrap)
	ends := 0
	p.Conn.Result().Then(func(result.Status) { ends++ }, func(error) { ends++ })
	messages, err := s.exchange(t, p, b, cuts)
	want := s.reference().read(b, s.away(), s.arrival() == asFast)
	sameMessages(t, messages, want.messages)
	got := status(t, p.Conn)
	synctest.Wait()
	if ends != 1 {
		t.Errorf("ended %d times", ends)
	}
	if !slices.ContainsFunc(want.ends, func(e ending) bool { return e.is(got) }) {
		t.Errorf("ended with %v (%v), want one of %+v", got, got.Err, want.ends)
	}
	if n := len(w.seen); n > len(want.controls) || !slices.Equal(w.seen, want.controls[:n]) || n < len(want.controls) && !want.broken {
		t.Errorf("an operator saw %q, want %q", w.seen, want.controls)
	}
	cut := want.open && got.Err == nil && err == io.ErrUnexpectedEOF
	late := want.broken && got.Err == nil && errors.As(err, new(*result.ProtocolError)) // found behind a clean end
	if err != got.Err && !cut && !late {
		t.Errorf("%s ended with %v, the connection with %v", s.face().name, err, got.Err)
	}
}

// exchange sends the bytes and cuts the connection, takes what comes, and
// returns it.
func (s setting) exchange(t *testing.T, p *script.Peer, b []byte, cuts uint64) ([]stream.Message, error) {
	var tk *taking
	resume := func() {}
	if s.arrival() == whilePaused {
		resume = p.Conn.Pause()
	}
	if s.arrival() != beforeTaken {
		tk = s.face().take(ctx, p.Conn)
	}
	from := 0
	for to := 1; to <= len(b); to++ {
		if to < len(b) && cuts>>((to-1)%64)&1 == 0 {
			continue
		}
		p.SendsRaw(b[from:to])
		from = to
		if s.arrival() == slowly {
			time.Sleep(time.Second)
		}
	}
	if s.arrival() != asFast {
		time.Sleep(time.Minute)
	}
	p.Cuts()
	if s.away() {
		time.Sleep(time.Minute)
	}
	resume()
	if tk == nil {
		tk = s.face().take(ctx, p.Conn)
	}
	return tk.ends(t)
}

// is reports whether a status is what the ending must give.
func (e ending) is(got result.Status) bool {
	var breach *result.ProtocolError
	var failed *result.ConnectionFailed
	var closed *result.CloseError
	isBreach, isFailed, isClosed := errors.As(got.Err, &breach), errors.As(got.Err, &failed), errors.As(got.Err, &closed)
	none := result.Status{Code: 1006, Err: got.Err}
	code := result.StatusCode(e.code)
	switch {
	case e.breach != 0:
		none.Sent = result.StatusCode(e.breach)
		return isFailed && isBreach && int(breach.Code) == e.breach && got == none
	case e.code == 0:
		return isFailed && !isBreach && got == none
	case e.code == 1000 || e.code == 1005:
		return got == result.Status{Code: code, Reason: e.reason, ByPeer: true, Sent: code, Received: code}
	}
	return isClosed && *closed == result.CloseError{Code: code, Reason: e.reason} &&
		got == result.Status{Code: code, Reason: e.reason, ByPeer: true, Sent: code, Received: code, Err: got.Err}
}
