package stream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/reactivex/rxgo/v2"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A face is one way of taking messages. All of them must agree on what comes,
// in which order, and how it ends.
type face struct {
	name string
	// take starts to take messages and returns at once.
	take func(ctx context.Context, c *stream.Conn) *taking

	exclusive bool // a second taker gets an error
	endless   bool // it has no end of its own: callbacks
	mute      bool // it cannot tell the cause of its context's end
}

// A taking is a face at work.
type taking struct {
	messages chan stream.Message // owned; large enough for any test
	end      chan error          // gets nil or the error that ended it, once
}

func newTaking() *taking {
	return &taking{make(chan stream.Message, 5000), make(chan error, 1)}
}

var faces = []face{
	{name: "All", take: takeWithAll, exclusive: true},
	{name: "Reader", take: takeWithReader, exclusive: true},
	{name: "Chan", take: takeWithChan},
	{name: "Batches", take: takeWithBatches},
	{name: "Observable", take: takeWithObservable, mute: true},
	{name: "ObservableBatches", take: takeWithObservableBatches, mute: true},
	{name: "callbacks", take: takeWithCallbacks, endless: true, mute: true},
}

func takeWithAll(ctx context.Context, c *stream.Conn) *taking {
	tk := newTaking()
	go func() {
		var last error
		for m, err := range c.All(ctx) {
			if last != nil {
				panic("All yields after its error")
			}
			if last = err; err == nil {
				tk.messages <- m.Clone()
			}
		}
		tk.end <- last
	}()
	return tk
}

func takeWithReader(ctx context.Context, c *stream.Conn) *taking {
	tk := newTaking()
	go func() {
		for {
			typ, r, err := c.Reader(ctx)
			if err == nil {
				var data []byte
				if data, err = io.ReadAll(r); err == nil {
					tk.messages <- stream.Message{Type: typ, Data: data}
					continue
				}
			}
			if err == io.EOF {
				err = nil
			}
			tk.end <- err
			return
		}
	}()
	return tk
}

func takeWithChan(ctx context.Context, c *stream.Conn) *taking {
	tk := newTaking()
	sub := c.Chan(ctx, nil)
	go func() {
		for m := range sub.C {
			tk.messages <- m
		}
		tk.end <- sub.Err()
	}()
	return tk
}

func takeWithBatches(ctx context.Context, c *stream.Conn) *taking {
	tk := newTaking()
	sub := c.Batches(ctx, nil)
	go func() {
		for batch := range sub.C {
			if len(batch) == 0 {
				panic("an empty batch")
			}
			for _, m := range batch {
				tk.messages <- m
			}
		}
		tk.end <- sub.Err()
	}()
	return tk
}

func takeWithObservable(ctx context.Context, c *stream.Conn) *taking {
	return observe(ctx, c.Observable(nil), func(tk *taking, item rxgo.Item) {
		tk.messages <- item.V.(stream.Message)
	})
}

func takeWithObservableBatches(ctx context.Context, c *stream.Conn) *taking {
	return observe(ctx, c.ObservableBatches(nil), func(tk *taking, item rxgo.Item) {
		for _, m := range item.V.([]stream.Message) {
			tk.messages <- m
		}
	})
}

func observe(ctx context.Context, o rxgo.Observable, next func(*taking, rxgo.Item)) *taking {
	tk := newTaking()
	items := o.Observe(rxgo.WithContext(ctx))
	go func() {
		var last error
		for item := range items {
			if last != nil {
				panic("an item after the error item")
			}
			if last = item.E; last == nil {
				next(tk, item)
			}
		}
		tk.end <- last
	}()
	return tk
}

// takeWithCallbacks ends with the connection, as callbacks have no end. The
// pause keeps messages from coming before both callbacks listen.
func takeWithCallbacks(ctx context.Context, c *stream.Conn) *taking {
	tk := newTaking()
	defer c.Pause()()
	stopText := c.OnText(func(s string) { tk.messages <- text(s) })
	stopBinary := c.OnBinary(func(b []byte) { tk.messages <- bin(b) })
	context.AfterFunc(ctx, func() { stopText(); stopBinary() })
	c.Result().Then(func(result.Status) { tk.end <- nil }, func(err error) { tk.end <- err })
	return tk
}

// ends waits for the end and returns the error and all messages that came.
func (tk *taking) ends(t *testing.T) (messages []stream.Message, err error) {
	t.Helper()
	err = within(t, "the end of the face", tk.end)
	synctest.Wait() // callbacks may come later than the connection's end
	for len(tk.messages) > 0 {
		messages = append(messages, <-tk.messages)
	}
	return messages, err
}

// next waits for the next message.
func (tk *taking) next(t *testing.T, want stream.Message) {
	t.Helper()
	sameMessages(t, []stream.Message{within(t, describe(want), tk.messages)}, []stream.Message{want})
}

// onEachFace runs a test for each face in a client, over a connection with
// deadlines and over one that has nothing but Read, Write and Close.
func onEachFace(t *testing.T, name string, o *stream.Options, test func(t *testing.T, f face, p *script.Peer)) {
	t.Helper()
	plain := func(nc net.Conn) io.ReadWriteCloser { return struct{ io.ReadWriteCloser }{nc} }
	for _, f := range faces {
		bubble(t, f.name+"/"+name, func(t *testing.T) { test(t, f, script.Client(t, o)) })
		bubble(t, f.name+"/"+name+"/plain", func(t *testing.T) { test(t, f, script.Start(t, stream.Client, o, plain)) })
	}
}

// What is sent comes, in order, whole and unchanged, on every face.
func TestFacesMessages(t *testing.T) {
	big := string(filler(300000))
	exchanges := []inbound{
		{name: "nothing"},
		{name: "text and binary", sends: []script.Frame{script.Text("é"), script.Binary("\xff"), script.Text("b")}, yields: []stream.Message{text("é"), bin("\xff"), text("b")}},
		{name: "empty", sends: []script.Frame{script.Text(""), script.Binary("")}, yields: []stream.Message{text(""), bin("")}},
		{name: "fragments", sends: []script.Frame{script.Text("a").Open(), script.Ping("p"), script.More("b"), script.Last("c")}, yields: []stream.Message{text("abc")}, pongs: []string{"p"}},
		{name: "large", sends: []script.Frame{script.Binary(big), script.Text(letters(70000)), script.Binary(big)}, yields: []stream.Message{bin(big), text(letters(70000)), bin(big)}},
		{name: "a thousand", sends: manyFrames(1000), yields: manyMessages(1000)},
		{name: "a breach after messages", sends: []script.Frame{script.Text("a"), script.Binary("b"), script.Of(3, "")}, yields: []stream.Message{text("a"), bin("b")}, breach: 1002},
		{name: "a breach inside a message", sends: []script.Frame{script.Text("a"), script.Text("b").Open(), script.Text("c")}, yields: []stream.Message{text("a")}, breach: 1002},
		{name: "invalid text", sends: []script.Frame{script.Text("a"), script.Text("\xff")}, yields: []stream.Message{text("a")}, breach: 1007},
		{name: "half a rune", sends: []script.Frame{script.Text("a"), script.Text("b\xe2\x82")}, yields: []stream.Message{text("a")}, breach: 1007},
	}
	for _, in := range exchanges {
		for _, w := range ways {
			onEachFace(t, in.name+"/"+w.name, nil, func(t *testing.T, f face, p *script.Peer) {
				tk := f.take(ctx, p.Conn)
				w.send(p, in.sends...)
				wantsPongs(t, p, in.pongs)
				if in.breach == 0 {
					p.Sends(script.Close(1000, ""))
					p.WantsClose(1000)
				} else {
					p.WantsClose(in.breach)
				}
				messages, err := tk.ends(t)
				sameMessages(t, messages, in.yields)
				if in.breach != 0 {
					isBreach(t, err, in.breach)
				} else if err != nil {
					t.Errorf("it ended with %v", err)
				}
			})
		}
	}
}

// An invalid octet ends every face at once, in the middle of a frame.
func TestFacesFailFast(t *testing.T) {
	onEachFace(t, "invalid text in a frame", nil, func(t *testing.T, f face, p *script.Peer) {
		tk := f.take(ctx, p.Conn)
		p.Sends(script.Text("good"))
		tk.next(t, text("good"))
		failsFast(p, script.Text("begins well \xed\xa0\x80"), 13)
		_, err := tk.ends(t)
		isBreach(t, err, 1007)
	})
}

// Every face ends plainly after a success and otherwise with the terminal
// error, once the terminal event is set.
func TestFacesEnd(t *testing.T) {
	ends := []struct {
		name string
		end  func(p *script.Peer)
		is   func(t *testing.T, err error)
	}{
		{"1000", func(p *script.Peer) { p.Sends(script.Close(1000, "")) }, func(t *testing.T, err error) { isCloseError(t, err, 1000, "") }},
		{"no code", func(p *script.Peer) { p.Sends(script.CloseEmpty()) }, func(t *testing.T, err error) { isCloseError(t, err, 1005, "") }},
		{"1001", func(p *script.Peer) { p.Sends(script.Close(1001, "away")) }, func(t *testing.T, err error) { isCloseError(t, err, 1001, "away") }},
		{"4000", func(p *script.Peer) { p.Sends(script.Close(4000, "bye")) }, func(t *testing.T, err error) { isCloseError(t, err, 4000, "bye") }},
		{"a cut", (*script.Peer).Cuts, func(t *testing.T, err error) { isFailed(t, err, io.EOF, io.ErrUnexpectedEOF) }},
		{"a breach", func(p *script.Peer) { p.Sends(script.Last("")) }, func(t *testing.T, err error) { isBreach(t, err, 1002) }},
		{"CloseNow", func(p *script.Peer) { p.Conn.CloseNow(errTest) }, func(t *testing.T, err error) { isFailed(t, err, errTest) }},
		{"Close", func(p *script.Peer) { p.Conn.Close(1000, ""); p.Sends(script.Close(1000, "")) }, func(t *testing.T, err error) { isCloseError(t, err, 1000, "") }},
		{"a success of our own", func(p *script.Peer) { p.Sends(script.Close(4444, "")) }, func(t *testing.T, err error) { isCloseError(t, err, 1000, "") }},
	}
	for _, end := range ends {
		o := &stream.Options{SuccessCodes: []result.StatusCode{4444}}
		onEachFace(t, end.name, o, func(t *testing.T, f face, p *script.Peer) {
			tk := f.take(ctx, p.Conn)
			p.Sends(script.Text("before"))
			tk.next(t, text("before"))
			end.end(p)
			messages, err := tk.ends(t)
			if _, settled := p.Conn.Result().Status(); !settled {
				t.Error("the face ended before the terminal event was set")
			}
			end.is(t, err)
			sameMessages(t, messages, nil)
			end.is(t, status(t, p.Conn).Err)
		})
		onEachFace(t, end.name+", taken after the end", o, func(t *testing.T, f face, p *script.Peer) {
			first := f.take(ctx, p.Conn)
			end.end(p)
			first.ends(t)
			_, err := f.take(ctx, p.Conn).ends(t)
			end.is(t, err)
		})
	}
}

// No message is lost before the first taker, nor once the peer has closed.
func TestFacesTakeLate(t *testing.T) {
	onEachFace(t, "messages before the first taker", nil, func(t *testing.T, f face, p *script.Peer) {
		p.Sends(manyFrames(100)...)
		synctest.Wait()
		tk := f.take(ctx, p.Conn)
		for _, want := range manyMessages(100) {
			tk.next(t, want)
		}
	})
	onEachFace(t, "messages and the close before the first taker", nil, func(t *testing.T, f face, p *script.Peer) {
		if f.endless {
			t.Skip("callbacks end with the connection, before they are taken here")
		}
		p.Sends(manyFrames(100)...)
		p.Sends(script.Close(1000, ""))
		synctest.Wait()
		messages, err := f.take(ctx, p.Conn).ends(t)
		sameMessages(t, messages, manyMessages(100))
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
}

// A cancelled context ends the wait or the subscription, never the connection.
func TestFacesCancel(t *testing.T) {
	onEachFace(t, "a cancelled context", nil, func(t *testing.T, f face, p *script.Peer) {
		if f.endless {
			t.Skip("callbacks have no context")
		}
		inner, cancel := context.WithCancelCause(ctx)
		tk := f.take(inner, p.Conn)
		p.Sends(script.Text("before"))
		tk.next(t, text("before"))
		cancel(errTest)
		messages, err := tk.ends(t)
		sameMessages(t, messages, nil)
		if !f.mute && !errors.Is(err, errTest) {
			t.Errorf("it ended with %v, want the context's cause", err)
		}
		other := f.take(ctx, p.Conn)
		p.Sends(script.Text("after"))
		other.next(t, text("after"))
		isOpen(t, p)
	})
	onEachFace(t, "a context that has ended", nil, func(t *testing.T, f face, p *script.Peer) {
		if f.endless {
			t.Skip("callbacks have no context")
		}
		inner, cancel := context.WithCancelCause(ctx)
		cancel(errTest)
		messages, err := f.take(inner, p.Conn).ends(t)
		sameMessages(t, messages, nil)
		if !f.mute && !errors.Is(err, errTest) {
			t.Errorf("it ended with %v, want the context's cause", err)
		}
		other := f.take(ctx, p.Conn)
		p.Sends(script.Text("after"))
		other.next(t, text("after"))
	})
}

// A held pause keeps every face from getting anything; nothing is lost by it.
func TestFacesPause(t *testing.T) {
	onEachFace(t, "a pause", nil, func(t *testing.T, f face, p *script.Peer) {
		tk := f.take(ctx, p.Conn)
		p.Sends(script.Text("before"))
		tk.next(t, text("before"))
		resume := p.Conn.Pause()
		again := p.Conn.Pause()
		p.Sends(manyFrames(100)...)
		synctest.Wait()
		resume()
		resume()
		synctest.Wait()
		if n := len(tk.messages); n > 0 {
			t.Errorf("%d messages came while a pause was held", n)
		}
		again()
		for _, want := range manyMessages(100) {
			tk.next(t, want)
		}
	})
}

// Two takers share what comes, or the second is refused.
func TestFacesTogether(t *testing.T) {
	for _, first := range faces {
		for _, second := range faces {
			bubble(t, first.name+" and "+second.name, func(t *testing.T) {
				p := script.Client(t, nil)
				a := first.take(ctx, p.Conn)
				p.Sends(script.Text("for the first"))
				a.next(t, text("for the first"))
				synctest.Wait() // a Reader is asked for the next message
				b := second.take(ctx, p.Conn)
				synctest.Wait()
				if !first.exclusive && !second.exclusive {
					p.Sends(script.Text("for both"))
					a.next(t, text("for both"))
					b.next(t, text("for both"))
					return
				}
				p.Sends(script.Text("still for the first"))
				a.next(t, text("still for the first"))
				if second.endless {
					return
				}
				if messages, err := b.ends(t); err == nil || len(messages) > 0 {
					t.Errorf("%s beside %s: %d messages, then %v", second.name, first.name, len(messages), err)
				}
			})
		}
	}
}

// The size limit holds for assembled messages, on every face but Reader.
func TestFacesSizeLimit(t *testing.T) {
	sizes := []struct {
		name   string
		limit  int64
		frames []script.Frame
		n      int
	}{
		{"at the limit", 1000, split(script.Text(letters(1000)), 1000), 1000},
		{"over the limit", 1000, split(script.Text(letters(1001)), 1001), 1001},
		{"at the limit in fragments", 1000, split(script.Text(letters(1000)), 100), 1000},
		{"over the limit in fragments", 1000, split(script.Text(letters(1001)), 100), 1001},
		{"over a limit of a byte", 1, split(script.Text("ab"), 2), 2},
		{"that no limit forbids", -1, split(script.Text(letters(100000)), 1000), 100000},
	}
	for _, test := range sizes {
		o := &stream.Options{SizeLimit: test.limit}
		onEachFace(t, "a message "+test.name, o, func(t *testing.T, f face, p *script.Peer) {
			tk := f.take(ctx, p.Conn)
			p.Sends(script.Text("."))
			p.Sends(test.frames...)
			tk.next(t, text("."))
			if strings.HasPrefix(test.name, "over") && f.name != "Reader" {
				p.WantsClose(1009)
				messages, err := tk.ends(t)
				sameMessages(t, messages, nil)
				isBreach(t, err, 1009)
				return
			}
			if m := within(t, fmt.Sprintf("%d bytes", test.n), tk.messages); len(m.Data) != test.n {
				t.Errorf("%d bytes came, want %d", len(m.Data), test.n)
			}
		})
	}
}
