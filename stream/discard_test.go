package stream_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// bound is a look-ahead that some messages spend.
const bound = 1000

func bounded() *stream.Options { return &stream.Options{LookAhead: bound} }

// flood sends more than the look-ahead holds, numbered from a number on.
func flood(p *script.Peer, from, n int) {
	for i := range n {
		p.Sends(script.Text(fmt.Sprintf("%100d", from+i)))
	}
	time.Sleep(2 * time.Second) // the look-ahead has come as far as it can
}

func countedFrom(from, n int) (all []stream.Message) {
	for i := range n {
		all = append(all, text(fmt.Sprintf("%100d", from+i)))
	}
	return all
}

// isLost holds an error against what is gone.
func isLost(t *testing.T, err error, n uint64) {
	t.Helper()
	var lost *stream.LostError
	if !errors.As(err, &lost) || lost.Messages != n || lost.Why == "" {
		t.Errorf("the error is %v, want one that counts %d messages", err, n)
	}
}

// Nothing is discarded before the program has said that nobody need subscribe, and
// before the look-ahead is spent.
func TestNothingIsDiscardedBefore(t *testing.T) {
	for name, test := range map[string]struct {
		n       int
		discard bool
	}{"without Discard": {50, false}, "with a look-ahead that is not spent": {5, true}} {
		onEachFace(t, name, bounded(), func(t *testing.T, f face, p *script.Peer) {
			if test.discard {
				p.Conn.Discard()
			}
			flood(p, 0, test.n)
			tk := f.take(ctx, p.Conn)
			p.Sends(script.Close(1000, ""))
			messages, err := tk.ends(t)
			if err != nil {
				t.Error(err)
			}
			sameMessages(t, messages, countedFrom(0, test.n))
		})
	}
}

// Once somebody has subscribed nothing is discarded, also when he has gone.
func TestNothingIsDiscardedAfterASubscriber(t *testing.T) {
	onEachFace(t, "", bounded(), func(t *testing.T, f face, p *script.Peer) {
		p.Conn.Discard()
		p.Sends(script.Text("first"))
		for range p.Conn.All(ctx) {
			break
		}
		flood(p, 0, 50)
		tk := f.take(ctx, p.Conn)
		p.Sends(script.Close(1000, ""))
		messages, err := tk.ends(t)
		if err != nil {
			t.Error(err)
		}
		sameMessages(t, messages, countedFrom(0, 50))
	})
}

// Who subscribes after messages were discarded is told how many, first, and gets
// those that come next, in every face. Meanwhile the connection lives.
func TestDiscard(t *testing.T) {
	for name, prompt := range map[string]bool{"before the look-ahead is spent": true, "after it": false} {
		onEachFace(t, name, bounded(), func(t *testing.T, f face, p *script.Peer) {
			if prompt {
				p.Conn.Discard()
			}
			flood(p, 0, 30)
			if !prompt {
				p.Conn.Discard()
			}
			flood(p, 30, 30)
			p.Sends(script.Ping("there?"))
			p.Wants("a Pong", script.Pong("there?"))
			next := 0
			if !f.endless {
				messages, err := f.take(ctx, p.Conn).ends(t)
				sameMessages(t, messages, nil)
				isLost(t, err, 60)
				flood(p, 60, 30)
				next = 30
			}
			tk := f.take(ctx, p.Conn)
			p.Sends(script.Text("last"), script.Close(1000, ""))
			messages, err := tk.ends(t)
			if err != nil {
				t.Error(err)
			}
			sameMessages(t, messages, append(countedFrom(60, next), text("last")))
		})
	}
}

// Callbacks cannot be told, so it is logged.
func TestDiscardBeforeCallbacks(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		logger, seen := logs()
		p := script.Client(t, &stream.Options{LookAhead: bound, Logger: logger})
		p.Conn.Discard()
		flood(p, 0, 30)
		if seen.FilterMessage("nobody takes messages: they are discarded").Len() != 1 {
			t.Errorf("the log says %v", seen.All())
		}
		got := make(chan string, 10)
		p.Conn.OnText(func(text string) { got <- text })
		p.Sends(script.Text("next"))
		if m := within(t, "the next message", got); m != "next" {
			t.Errorf("it is %q", m)
		}
		told := seen.FilterMessage("messages are lost that came before a callback was added").All()
		if len(told) != 1 || told[0].ContextMap()["messages"] != uint64(30) {
			t.Errorf("the log says %v", seen.All())
		}
	})
}

// A message of which a part was discarded is gone, and its rest is no message. None
// is too large to be discarded.
func TestDiscardInTheMiddleOfAMessage(t *testing.T) {
	onEachFace(t, "", &stream.Options{LookAhead: bound, SizeLimit: 2000}, func(t *testing.T, f face, p *script.Peer) {
		p.Conn.Discard()
		p.Sends(script.Text(letters(3000)).Open(), script.More(letters(3000)))
		time.Sleep(5 * time.Second)
		p.Sends(script.More("é").First(3))
		synctest.Wait()
		if !f.endless {
			_, err := f.take(ctx, p.Conn).ends(t)
			isLost(t, err, 1)
		}
		tk := f.take(ctx, p.Conn)
		p.Sends(script.More("é").Rest(3), script.Last("end"), script.Text("next"), script.Close(1000, ""))
		messages, err := tk.ends(t)
		if err != nil {
			t.Error(err)
		}
		sameMessages(t, messages, []stream.Message{text("next")})
	})
}

// A pause keeps messages: whoever holds it is about to subscribe.
func TestPauseKeepsMessagesFromBeingDiscarded(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		p := script.Client(t, bounded())
		resume := p.Conn.Pause()
		p.Conn.Discard()
		flood(p, 0, 50)
		app := takeAll(p.Conn)
		synctest.Wait()
		resume()
		p.Sends(script.Close(1000, ""))
		app.ends(t, nil)
		sameMessages(t, app.messages, countedFrom(0, 50))
	})
}

// A stateful operator numbers the messages that pass it.
type stateful struct{ seen int }

func (o *stateful) Attach(*stream.Link) (stream.Hooks, error) {
	return stream.Hooks{In: func(f stream.Frame) (stream.Frame, bool, error) {
		if f.First {
			o.seen++
		}
		return f, false, nil
	}}, nil
}

// Operators see the messages that are discarded: what they make of the next one may
// depend on them.
func TestDiscardedMessagesPassTheOperators(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		op := &stateful{}
		p := script.Client(t, &stream.Options{LookAhead: bound, Operators: []stream.Operator{op}})
		p.Conn.Discard()
		flood(p, 0, 30)
		synctest.Wait()
		if op.seen != 30 {
			t.Errorf("the operator saw %d messages, want 30", op.seen)
		}
	})
}

// A breach among messages that nobody takes ends the connection all the same.
func TestBreachAmongDiscardedMessages(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		p := script.Client(t, bounded())
		p.Conn.Discard()
		flood(p, 0, 30)
		p.Sends(script.Text("\xFF"))
		p.WantsClose(1007)
		isBreach(t, status(t, p.Conn).Err, 1007)
		for range 2 {
			for _, err := range p.Conn.All(ctx) {
				if errors.As(err, new(*stream.LostError)) {
					isLost(t, err, 30)
				} else {
					isBreach(t, err, 1007)
				}
			}
		}
	})
}

// The end of a connection of which nobody has taken the messages is logged, where
// nobody is going to take them.
func TestUntakenMessagesAreLogged(t *testing.T) {
	for name, test := range map[string]struct {
		do   func(p *script.Peer)
		want int
	}{
		"after Discard":         {func(p *script.Peer) { p.Conn.Discard() }, 1},
		"after Close":           {func(p *script.Peer) { p.Conn.Close(1000, ""); p.WantsClose(1000) }, 1},
		"without either":        {func(p *script.Peer) {}, 0},
		"where they were taken": {func(p *script.Peer) { p.Conn.Discard(); takeAll(p.Conn) }, 0},
	} {
		bubble(t, name, func(t *testing.T) {
			logger, seen := logs()
			p := script.Client(t, &stream.Options{Logger: logger})
			test.do(p)
			p.Sends(script.Text("a"), script.Text("b").Open(), script.Last("c"), script.Ping(""), script.Close(1000, ""))
			if s := status(t, p.Conn); s.Err != nil {
				t.Error(s.Err)
			}
			told := seen.FilterMessage("nobody has taken the messages of a connection that ends").All()
			if len(told) != test.want || len(told) > 0 && told[0].ContextMap()["messages"] != uint64(2) {
				t.Errorf("the log says %v", seen.All())
			}
		})
	}
}

// Discard after the end does nothing.
func TestDiscardAfterTheEnd(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		p := script.Client(t, bounded())
		flood(p, 0, 5)
		p.Sends(script.Close(1000, ""))
		endedPlainly(t, p.Conn, result.Status{Code: 1000, ByPeer: true, Sent: 1000, Received: 1000})
		p.Conn.Discard()
		app := takeAll(p.Conn)
		app.ends(t, nil)
		sameMessages(t, app.messages, countedFrom(0, 5))
	})
}

// What nobody took is dropped for the sake of the closing handshake in whole
// frames: one that is cut by the bound of the look-ahead is read to its end.
func TestDiscardDropsWholeFrames(t *testing.T) {
	for cut := 1; cut <= 16; cut++ {
		synctest.Test(t, func(t *testing.T) {
			p := script.Client(t, &stream.Options{LookAhead: bound})
			p.Sends(script.Binary(make([]byte, bound-cut-4)), script.Text("0123456789"), script.Text(letters(300)))
			time.Sleep(5 * time.Second)
			p.Conn.Close(1000, "")
			p.Sends(script.Close(1000, ""))
			if s := status(t, p.Conn); s.Err != nil || s.Code != 1000 {
				t.Errorf("%d bytes behind the seam: the status is %+v", cut, s)
			}
		})
	}
}

// As much as the peer has sent, the handshake ends where nobody takes messages.
func TestDiscardGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := script.Client(t, nil)
		for range 18 {
			p.Sends(script.Binary(make([]byte, 1<<20)))
		}
		p.Sends(script.Close(1000, ""))
		time.Sleep(5 * time.Second)
		p.Conn.Close(1000, "")
		if s := status(t, p.Conn); s.Err != nil {
			t.Errorf("the status is %+v", s)
		}
		var lost *stream.LostError
		for m, err := range p.Conn.All(ctx) {
			if !errors.As(err, &lost) || lost.Messages != 18 {
				t.Errorf("All gives %d bytes and %v, want an error that counts 18 messages", len(m.Data), err)
			}
		}
		if lost == nil {
			t.Error("nobody tells that messages are lost")
		}
		for _, err := range p.Conn.All(ctx) {
			t.Errorf("the second loop gives a message or %v", err)
		}
	})
}

// Where nobody takes messages, those that came with the handshake are discarded,
// too, to finish the closing handshake.
func TestDiscardsWhatWasBuffered(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		p := script.Client(t, &stream.Options{Buffered: []byte{0x82, 1, 'a'}, LookAhead: 1000})
		p.Sends(script.Binary(make([]byte, 5000)), script.Binary(make([]byte, 5000)))
		p.Conn.Close(1000, "")
		p.WantsClose(1000)
		p.Sends(script.Binary(make([]byte, 5000)), script.Close(1000, ""))
		endedPlainly(t, p.Conn, result.Status{Code: 1000, Sent: 1000, Received: 1000})
	})
}
