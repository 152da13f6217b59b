package mux_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/mux"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// plain returns a server and a mux over one connection to it.
func plain(t *testing.T, o *mux.Options[string]) (*server, *mux.Mux[string]) {
	t.Helper()
	s := &server{t: t}
	conn := s.accept()
	t.Cleanup(func() { // in the bubble
		conn.CloseNow(nil)
		synctest.Wait()
	})
	return s, mux.New(conn, o)
}

// gets checks the next messages of a subscription.
func gets(t *testing.T, sub *stream.Subscription[stream.Message], texts ...string) {
	t.Helper()
	for _, want := range texts {
		m, ok := <-sub.C
		if got := m.String(); got != want || !ok {
			t.Errorf("it got %q, %t, %v; want %q", got, ok, sub.Err(), want)
		}
		m.Release()
	}
}

// getsNothing checks that there is nothing for a subscription, which goes on.
func getsNothing(t *testing.T, sub *stream.Subscription[stream.Message]) {
	t.Helper()
	synctest.Wait()
	select {
	case m, ok := <-sub.C:
		t.Errorf("it got %q, %t, %v; want nothing", m, ok, sub.Err())
	default:
	}
}

// A topic is subscribed to with its first taker, whatever it takes with, and
// unsubscribed from after its last one.
func TestTopicIsSubscribedToWhileItIsTaken(t *testing.T) {
	takes := map[string]func(t *testing.T, r *stream.Relay) (stop func()){
		"All": func(t *testing.T, r *stream.Relay) func() {
			inner, cancel := context.WithCancel(ctx)
			go func() {
				for range r.All(inner) {
				}
			}()
			return cancel
		},
		"Chan":    func(t *testing.T, r *stream.Relay) func() { return r.Chan(ctx, nil).Cancel },
		"Batches": func(t *testing.T, r *stream.Relay) func() { return r.Batches(ctx, nil).Cancel },
		"OnText":  func(t *testing.T, r *stream.Relay) func() { return r.OnText(func(string) {}) },
	}
	for name, take := range takes {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s, m := plain(t, options(10))
				r := m.Topic("a")
				s.wantsHeard()
				stop := take(t, r)
				s.wantsHeard("+a")
				s.sends("a:1")
				stop()
				s.wantsHeard("+a", "-a")
				take(t, m.Topic("a"))
				s.wantsHeard("+a", "-a", "+a")
			})
		})
	}
}

// Takers are counted.
func TestTopicHasManyTakers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, m := plain(t, options(10))
		one, two := m.Topic("a").Chan(ctx, nil), m.Topic("a").Chan(ctx, nil)
		s.wantsHeard("+a")
		s.sends("a:1")
		gets(t, one, "a:1")
		gets(t, two, "a:1")
		one.Cancel()
		s.wantsHeard("+a")
		s.sends("a:2")
		gets(t, two, "a:2")
		two.Cancel()
		s.wantsHeard("+a", "-a")
	})
}

// Each topic gets its own messages, and Unmatched what is for none.
func TestMessagesFindTheirTopics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, m := plain(t, options(10))
		unmatched := m.Unmatched().Chan(ctx, nil)
		a, b := m.Topic("a").Chan(ctx, nil), m.Topic("b").Chan(ctx, nil)
		s.wants("a,b")
		s.sends("hello", "a:1", "b:1", "c:1", "a:2", "welcome")
		gets(t, a, "a:1", "a:2")
		gets(t, b, "b:1")
		gets(t, unmatched, "hello", "welcome")
		getsNothing(t, a)
		getsNothing(t, b)
		getsNothing(t, unmatched)
	})
}

// Nothing is read before the first taker: what the server greets with is not
// missed.
func TestMuxBeginsWithItsFirstTaker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, m := plain(t, options(10))
		s.sends("hello")
		synctest.Wait()
		gets(t, m.Unmatched().Chan(ctx, nil), "hello")
	})
}

// A subscriber that goes while the mux waits for it holds up the others no more.
func TestTakerThatGoesHoldsUpNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, m := plain(t, options(10))
		a := m.Topic("a").Chan(ctx, &stream.SubscribeOptions{Size: 1})
		b := m.Topic("b").Chan(ctx, nil)
		s.wants("a,b")
		s.sends("a:1", "a:2", "a:3", "b:1")
		getsNothing(t, b)
		a.Cancel()
		gets(t, b, "b:1")
	})
}

// The limiter is waited for once a message, and not at all without a connection.
func TestLimiterIsWaitedForOnceAMessage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		waits := 0
		o := options(2)
		o.Limiter = limiterFunc(func(context.Context) error { waits++; return nil })
		s := &server{t: t}
		l := newRelink(s)
		m := mux.New(l, o)
		keys := []string{"a", "b", "c", "d", "e"}
		for range 3 {
			var subs []*stream.Subscription[stream.Message]
			for _, key := range keys {
				subs = append(subs, m.Topic(key).Chan(ctx, nil))
			}
			synctest.Wait()
			l.open()
			s.wantsHeard("+a,b", "+c,d", "+e")
			s.last().CloseNow(nil)
			synctest.Wait()
			for _, sub := range subs {
				sub.Cancel()
			}
			synctest.Wait()
			if waits != 3 {
				t.Errorf("it waited %d times for 3 messages", waits)
			}
			s.heard, waits = nil, 0
		}
		l.feeder.End(result.Status{Code: 1000})
	})
}

// As few messages as the server allows, and no more often than that.
func TestLimiter(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const topics = 1000
		o := options(20)
		o.Limiter = mux.NewWindow(5, time.Second)
		s := &server{t: t, most: 5}
		l := newRelink(s)
		m := mux.New(l, o)
		var all []string
		for i := range topics {
			key := fmt.Sprintf("%04d", i)
			m.Topic(key).OnText(func(string) {})
			all = append(all, key)
		}
		for range 3 {
			l.open()
			time.Sleep(20 * time.Second)
			s.wants(strings.Join(all, ","))
			if n := len(s.heard); n > topics/20+5 {
				t.Errorf("%d topics took %d messages", topics, n)
			}
			s.heard = nil
			s.last().CloseNow(nil)
			synctest.Wait()
		}
		l.feeder.End(result.Status{Code: 1000})
	})
}

// After a gap the server is told of what is desired then, and of nothing else.
func TestTopicsOutliveTheirConnection(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := &server{t: t}
		l := newRelink(s)
		m := mux.New(l, options(10))
		a, b := m.Topic("a").Chan(ctx, nil), m.Topic("b").Chan(ctx, nil)
		unmatched := m.Unmatched().Chan(ctx, nil)
		l.open()
		s.wants("a,b")
		s.sends("a:1")
		s.closes()
		synctest.Wait()
		b.Cancel()
		c := m.Topic("c").Chan(ctx, nil)
		synctest.Wait()
		l.open()
		s.wants("a,c")
		s.sends("a:2", "c:1")
		gets(t, a, "a:1")
		for _, want := range []uint64{0, 2} {
			if m := <-a.C; m.Gap() == nil || m.Gap().From != 1 || m.Gap().To != want {
				t.Errorf("it got %v with %+v, want a Notice of the gap to %d", m.Type, m.Gap(), want)
			}
		}
		gets(t, a, "a:2")
		for range 2 {
			if m := <-unmatched.C; m.Gap() == nil {
				t.Errorf("Unmatched gave %q, want a Notice", m)
			}
		}
		next := <-c.C
		if next.Gap() != nil { // it came in the gap
			next = <-c.C
		}
		if next.String() != "c:1" || next.Origin().Epoch != 2 {
			t.Errorf("it got %q of %+v", next, next.Origin())
		}
		s.closes()
		synctest.Wait()
		l.feeder.End(result.Status{Code: 1000})
		for _, sub := range []*stream.Subscription[stream.Message]{a, c} {
			for range sub.C {
			}
			if sub.Err() != nil {
				t.Errorf("it ended with %v", sub.Err())
			}
		}
	})
}

// All end with the link, however that ends, and so does who comes later.
func TestMuxEndsWithItsLink(t *testing.T) {
	for _, code := range []result.StatusCode{1000, 1001} {
		bubble(t, func(t *testing.T) {
			s, m := plain(t, options(10))
			a := m.Topic("a").Chan(ctx, nil)
			idle := m.Topic("idle")
			s.wants("a")
			s.sends("a:1")
			s.last().Close(code, "the end")
			gets(t, a, "a:1")
			if _, ok := <-a.C; ok {
				t.Error("there is more")
			}
			late := m.Topic("late")
			for name, r := range map[string]*stream.Relay{"idle": idle, "late": late, "unmatched": m.Unmatched(), "a": m.Topic("a")} {
				<-r.Done()
				st, err := r.Result().Wait(ctx)
				var closed *result.CloseError
				if st.Code != code || (code == 1000) != (err == nil) || err != nil && !errors.As(err, &closed) {
					t.Errorf("%s ended with %v, %v", name, st, err)
				}
				sub := r.Chan(ctx, nil)
				if _, ok := <-sub.C; ok || sub.Err() != err {
					t.Errorf("%s gives %t, %v", name, ok, sub.Err())
				}
			}
			if a.Err() != nil != (code != 1000) {
				t.Errorf("the topic ended with %v", a.Err())
			}
		})
	}
}

// A topic stays for a while after its last taker.
func TestLinger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := options(10)
		o.Linger = 5 * time.Second
		s, m := plain(t, o)
		m.Topic("a").Chan(ctx, nil).Cancel()
		a := m.Topic("a").Chan(ctx, nil)
		s.wantsHeard("+a")
		a.Cancel()
		time.Sleep(4 * time.Second)
		s.sends("a:dropped")
		a = m.Topic("a").Chan(ctx, nil)
		time.Sleep(4 * time.Second)
		s.sends("a:1")
		gets(t, a, "a:1")
		a.Cancel()
		synctest.Wait()
		time.Sleep(5*time.Second - 1)
		s.wantsHeard("+a")
		time.Sleep(1 * time.Nanosecond)
		s.wantsHeard("+a", "-a")
	})
}

// What cannot be sent, while the connection lives, ends the topics that it was
// for.
func TestWhatCannotBeSent(t *testing.T) {
	bad := errors.New("the limiter is broken")
	for name, break_ := range map[string]func(o *mux.Options[string]){
		"a message": func(o *mux.Options[string]) {
			spell := o.Subscribe
			o.Subscribe = func(topics []string) []stream.Message {
				if slices.Contains(topics, "bad") {
					return []stream.Message{{Type: stream.Text, Data: []byte("\xff")}}
				}
				return spell(topics)
			}
		},
		"the limiter": func(o *mux.Options[string]) { o.Limiter = limiterFunc(func(context.Context) error { return bad }) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				o := options(10)
				break_(o)
				s, m := plain(t, o)
				sub := m.Topic("bad").Chan(ctx, nil)
				if _, ok := <-sub.C; ok || sub.Err() == nil {
					t.Errorf("it ended with %t, %v", ok, sub.Err())
				}
				s.wantsHeard()
				if name == "a message" {
					m.Topic("good").Chan(ctx, nil)
					s.wantsHeard("+good")
				}
			})
		})
	}
}

type limiterFunc func(ctx context.Context) error

func (f limiterFunc) Wait(ctx context.Context) error { return f(ctx) }

// A link whose messages somebody else takes ends the mux.
func TestTakenLink(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := &server{t: t}
		conn := s.accept()
		defer conn.CloseNow(nil)
		defer conn.Chan(ctx, nil).Cancel()
		sub := mux.New(conn, options(10)).Topic("a").Chan(ctx, nil)
		if _, ok := <-sub.C; ok || !errors.Is(sub.Err(), stream.ErrTaken) {
			t.Errorf("it ended with %t, %v", ok, sub.Err())
		}
	})
}

// Options that are not there lack a Topic.
func TestNoOptions(t *testing.T) {
	near, _ := net.Pipe()
	conn, err := stream.New(near, stream.Client, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow(nil)
	var argument *result.ArgumentError
	if err := mux.New[string](conn, nil).Topic("a").Chan(ctx, nil).Err(); !errors.As(err, &argument) || argument.Name != "mux.Options.Topic" {
		t.Errorf("error %v, want one that names mux.Options.Topic", err)
	}
}

// A mux that cannot be is one that has ended.
func TestArguments(t *testing.T) {
	near, _ := net.Pipe()
	conn, err := stream.New(near, stream.Client, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow(nil)
	topic := options(1).Topic
	for name, m := range map[string]*mux.Mux[string]{
		"link of mux.New":    mux.New(nil, &mux.Options[string]{Topic: topic}),
		"mux.Options.Topic":  mux.New(conn, &mux.Options[string]{}),
		"mux.Options.Linger": mux.New(conn, &mux.Options[string]{Topic: topic, Linger: -1}),
	} {
		sub := m.Topic("a").Chan(ctx, nil)
		_, open := <-sub.C
		_, called := m.Call(ctx, "a", text("a"))
		for _, err := range []error{sub.Err(), called} {
			var argument *result.ArgumentError
			if open || !errors.As(err, &argument) || argument.Name != name {
				t.Errorf("without a good %s a topic gives %t, %v", name, open, err)
			}
		}
	}
}
