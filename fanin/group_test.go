package fanin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/fanin"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

var ctx = context.Background()

func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

// A feed is a connection and its far side, which sends.
type feed struct {
	t    *testing.T
	near *stream.Conn
	far  *stream.Conn
}

// newFeed makes a feed, which is cut in the end.
func newFeed(t *testing.T) *feed {
	t.Helper()
	a, b := net.Pipe()
	near, err := stream.New(a, stream.Client, nil)
	if err != nil {
		t.Fatal(err)
	}
	far, err := stream.New(b, stream.Server, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		far.CloseNow(nil)
		near.CloseNow(nil)
		<-far.Done()
		<-near.Done()
	})
	return &feed{t, near, far}
}

func (f *feed) sends(texts ...string) {
	f.t.Helper()
	for _, text := range texts {
		if err := f.far.SendText(ctx, text); err != nil {
			f.t.Errorf("a feed sends with %v", err)
		}
	}
}

// count sends the numbers from 0 up to n.
func (f *feed) count(n int) {
	f.t.Helper()
	for i := range n {
		f.sends(strconv.Itoa(i))
	}
}

// closes ends the feed from the far side.
func (f *feed) closes(code result.StatusCode) { f.far.Close(code, "") }

func add(t *testing.T, g *fanin.Group, name string, src stream.Source) *fanin.Member {
	t.Helper()
	m, err := g.Add(name, src)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func names(g *fanin.Group) string {
	var all []string
	for _, m := range g.Members() {
		all = append(all, m.Name())
	}
	return strings.Join(all, ",")
}

// said returns "name:text" of each message until the stream ends, and the error of
// its end; of a Notice it says what it tells.
func said(sub *stream.Subscription[stream.Message]) (all []string, err error) {
	for m := range sub.C {
		what := m.String()
		if g := m.Gap(); g != nil {
			what = fmt.Sprintf("gap %d to %d, %v, final: %t", g.From, g.To, g.Status, g.Final)
		}
		all = append(all, m.Origin().Name+": "+what)
		m.Release()
	}
	return all, sub.Err()
}

// A group gives the messages of all its members, in the order of each, and ends with
// the last of them.
func TestGroup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := fanin.New(nil)
		sub := g.Chan(ctx, nil)
		north, south := newFeed(t), newFeed(t)
		a, b := add(t, g, "north", north.near), add(t, g, "south", south.near)
		if got := names(g); got != "north,south" {
			t.Errorf("the members are %s", got)
		}
		north.sends("1", "2")
		synctest.Wait()
		south.sends("3")
		synctest.Wait()
		north.closes(1000)
		synctest.Wait()
		if got := names(g); got != "south" {
			t.Errorf("the members are %s", got)
		}
		g.Close()
		south.sends("4")
		south.closes(1001)
		all, err := said(sub)
		want := []string{
			"north: 1", "north: 2", "south: 3",
			`north: gap 1 to 0, 1000 "", final: true`,
			"south: 4",
			`south: gap 1 to 0, 1001 "", final: true`,
		}
		if !slices.Equal(all, want) {
			t.Errorf("it gave\n%s\nwant\n%s", strings.Join(all, "\n"), strings.Join(want, "\n"))
		}
		var closed *result.CloseError
		if !errors.As(err, &closed) || closed.Code != 1001 {
			t.Errorf("it ended with %v", err)
		}
		if st, err := a.Result().Wait(ctx); st.Code != 1000 || err != nil {
			t.Errorf("north ended with %v, %v", st, err)
		}
		if got, want := b.Stats(), (fanin.Stats{Received: 2, Epoch: 1}); got != want {
			t.Errorf("the statistics of south are %+v, want %+v", got, want)
		}
	})
}

// Without a failure the end is a success.
func TestGroupEndsWell(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := fanin.New(nil)
		for _, code := range []result.StatusCode{1000, 1005} {
			f := newFeed(t)
			add(t, g, fmt.Sprint(code), f.near)
			f.closes(code)
		}
		g.Close()
		if _, err := said(g.Chan(ctx, nil)); err != nil {
			t.Errorf("it ended with %v", err)
		}
		if st, err := g.Result().Wait(ctx); st.Code != 1000 || err != nil {
			t.Errorf("its result is %v, %v", st, err)
		}
	})
}

// Members that fail are counted and told of; the last eight errors are joined.
func TestGroupEndsBadly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := fanin.New(nil)
		for i, code := range []result.StatusCode{1000, 4001, 1001} {
			f := newFeed(t)
			add(t, g, strconv.Itoa(i), f.near)
			f.closes(code)
			<-f.near.Done()
		}
		removed := newFeed(t)
		add(t, g, "removed", removed.near).Remove()
		removed.far.CloseNow(nil)
		g.Close()
		if _, err := said(g.Chan(ctx, nil)); err == nil || !strings.HasPrefix(err.Error(), "wsflow: 2 of 3 members failed: ") {
			t.Errorf("it ended with %v", err)
		}
		var general *result.General
		var closed *result.CloseError
		if _, err := g.Result().Wait(ctx); !errors.As(err, &general) || !errors.As(err, &closed) {
			t.Errorf("its result is %v", err)
		}
	})
}

// Close ends a group without members at once, and lets nobody in.
func TestCloseOfAnEmptyGroup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := fanin.New(nil)
		f := newFeed(t)
		add(t, g, "a", f.near).Remove()
		g.Close()
		g.Close()
		if st, err := g.Result().Wait(ctx); st.Code != 1000 || err != nil {
			t.Errorf("its result is %v, %v", st, err)
		}
		if m, err := g.Add("a", f.near); m != nil || !errors.Is(err, net.ErrClosed) {
			t.Errorf("it took a member: %v, %v", m, err)
		}
	})
}

// Add refuses what cannot be a member, and leaves it as it is.
func TestAddRefuses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := fanin.New(nil)
		one, two := newFeed(t), newFeed(t)
		m := add(t, g, "a", one.near)
		var argument *result.ArgumentError
		if _, err := g.Add("a", two.near); !errors.As(err, &argument) || argument.Name != "name of fanin.Group.Add" || argument.Value != "a" {
			t.Errorf("a name in use: %v", err)
		}
		if _, err := g.Add("b", nil); !errors.As(err, &argument) || argument.Name != "src of fanin.Group.Add" {
			t.Errorf("no source: %v", err)
		}
		if _, err := g.Add("b", one.near); !errors.Is(err, stream.ErrTaken) {
			t.Errorf("a member of the group: %v", err)
		}
		sub := two.near.Chan(ctx, nil)
		if _, err := g.Add("b", two.near); !errors.Is(err, stream.ErrTaken) {
			t.Errorf("a source that is taken: %v", err)
		}
		sub.Cancel()
		synctest.Wait()
		add(t, g, "b", two.near)
		m.Remove()
		add(t, g, "a", one.near)
		m.Remove() // it has been
		if got := names(g); got != "a,b" {
			t.Errorf("the members are %s", got)
		}
	})
}

// A group that cannot be is one that has ended.
func TestNewArguments(t *testing.T) {
	never := func(stream.Message) (uint64, bool) { return 0, false }
	for _, o := range []*fanin.Options{{Window: -1, Distinct: never}, {Window: 1}} {
		g := fanin.New(o)
		sub := g.Chan(ctx, nil)
		_, open := <-sub.C
		var argument *result.ArgumentError
		if open || !errors.As(sub.Err(), &argument) || argument.Name != "fanin.Options.Window" {
			t.Errorf("with a window of %d it gives %t, %v", o.Window, open, sub.Err())
		}
		if _, err := g.Add("a", g.Relay); !errors.Is(err, net.ErrClosed) {
			t.Errorf("it takes members: %v", err)
		}
	}
}

// What the group had not taken of a member when that was removed waits for whoever
// takes it next: nothing is lost in between.
func TestRemovedMemberGoesOnElsewhere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const n = 500
		g := fanin.New(nil)
		f := newFeed(t)
		m := add(t, g, "a", f.near)
		go func() {
			f.count(n)
			f.closes(1000)
		}()
		sub := g.Chan(ctx, &stream.SubscribeOptions{Size: 4})
		for i := range 10 {
			if got := (<-sub.C).String(); got != strconv.Itoa(i) {
				t.Fatalf("number %d is %s", i, got)
			}
		}
		synctest.Wait()
		m.Remove()
		g.Close()
		next := 10
		all, err := said(sub)
		for _, what := range all {
			if want := fmt.Sprint("a: ", next); what != want {
				t.Fatalf("the group gave %s, want %s", what, want)
			}
			next++
		}
		if err != nil || next == n {
			t.Errorf("the group ended with %v, after %d of %d messages", err, next, n)
		}
		for m, err := range f.near.All(ctx) {
			if got := m.String(); err != nil || got != strconv.Itoa(next) {
				t.Fatalf("the source gave %s, %v, want %d", got, err, next)
			}
			next++
		}
		if next != n {
			t.Errorf("%d of %d messages came", next, n)
		}
	})
}

// Members come and go a thousand times; of none is anything lost, doubled or out of
// order, whether it comes and goes or stays.
func TestMembersComeAndGo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const feeds, rounds = 4, 250
		g := fanin.New(nil)
		sub := g.Batches(ctx, nil)
		churned := make(chan struct{}) // closed when nobody comes or goes any more
		progress := make(chan struct{})
		sent := make([]int, 2*feeds)
		var senders, churners sync.WaitGroup
		for i := range 2 * feeds {
			f := newFeed(t)
			senders.Go(func() {
				for open := true; open; sent[i]++ {
					f.sends(strconv.Itoa(sent[i]))
					select {
					case <-churned:
						open = false
					default:
					}
				}
				f.closes(1000)
			})
			name := strconv.Itoa(i)
			if i >= feeds {
				add(t, g, name, f.near)
				continue
			}
			churners.Go(func() {
				for range rounds {
					m := add(t, g, name, f.near)
					<-progress
					m.Remove()
				}
				add(t, g, name, f.near)
			})
		}
		go func() {
			churners.Wait()
			g.Close()
			close(churned)
		}()
		came := make([]int, 2*feeds)
		for batch := range sub.C {
			for _, m := range batch {
				name := m.Origin().Name
				i, _ := strconv.Atoi(name)
				if m.Type == stream.Notice {
					continue
				}
				if want := strconv.Itoa(came[i]); m.String() != want {
					t.Fatalf("member %s gave %s, want %s", name, m, want)
				}
				came[i]++
			}
			for _, m := range batch {
				m.Release()
			}
			select {
			case progress <- struct{}{}:
			default:
			}
		}
		senders.Wait()
		if err := sub.Err(); err != nil || !slices.Equal(came, sent) {
			t.Errorf("it ended with %v; came %v, sent %v", err, came, sent)
		}
	})
}

// Of two feeds that carry the same and lose some, only what both lost is missing.
func TestOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const n = 2_000
		g := fanin.New(&fanin.Options{Distinct: func(m stream.Message) (uint64, bool) {
			key, err := strconv.ParseUint(m.String(), 10, 64)
			return key, err == nil
		}})
		sub := g.Chan(ctx, nil)
		missing := map[int]int{}
		members := map[string]*fanin.Member{}
		for _, name := range []string{"a", "b"} {
			random := rand.New(rand.NewPCG(uint64(name[0]), 0))
			f := newFeed(t)
			var carried []string
			for i := range n {
				if random.IntN(100) == 0 || i == 7 {
					missing[i]++
					continue
				}
				carried = append(carried, strconv.Itoa(i))
			}
			members[name] = add(t, g, name, f.near)
			go func() {
				f.sends(carried...)
				f.sends("the end")
				f.closes(1000)
			}()
		}
		g.Close()
		came, ends := map[string]int{}, 0
		for m := range sub.C {
			switch text := m.String(); text {
			case "":
			case "the end":
				ends++
			default:
				came[text]++
			}
		}
		lost, doubled := 0, uint64(0)
		for i := range n {
			want := 1
			if missing[i] == 2 {
				want = 0
				lost++
			}
			if got := came[strconv.Itoa(i)]; got != want {
				t.Fatalf("number %d came %d times, want %d", i, got, want)
			}
		}
		received := uint64(0)
		for _, m := range members {
			st := m.Stats()
			received, doubled = received+st.Received, doubled+st.Duplicates
		}
		if lost == 0 || ends != 2 || received-doubled != uint64(n-lost+2) {
			t.Errorf("%d were lost by both, %d without a key came, %d received, %d of them doubled", lost, ends, received, doubled)
		}
	})
}

// A source that has little to say is heard among those that flood: when a message of it
// is at hand, no more comes before it than the queue holds, and a turn of each of the
// others. A turn has up to 64 messages, or 256 where the only taker takes batches.
func TestFairness(t *testing.T) {
	const (
		floods = 8
		depth  = 4
	)
	for _, test := range []struct {
		name string
		turn int
		most int // messages before the quiet one
		take func(g *fanin.Group) (next func() []stream.Message)
	}{
		{"messages", 64, depth + (floods+1)*64, func(g *fanin.Group) func() []stream.Message {
			sub := g.Chan(ctx, &stream.SubscribeOptions{Size: depth})
			return func() []stream.Message {
				if m, ok := <-sub.C; ok {
					return []stream.Message{m}
				}
				return nil
			}
		}},
		{"batches", 256, (depth + floods + 1) * 256, func(g *fanin.Group) func() []stream.Message {
			sub := g.Batches(ctx, &stream.SubscribeOptions{Size: depth})
			return func() []stream.Message { return <-sub.C }
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				g := fanin.New(nil)
				next := test.take(g)
				var conns []*stream.Conn
				for i := range floods {
					conn := flood(t)
					conns = append(conns, conn)
					add(t, g, fmt.Sprint("flood ", i), conn)
				}
				quiet := newFeed(t)
				add(t, g, "quiet", quiet.near)
				g.Close()
				for range 10 {
					for n := 0; n < 3000; {
						batch := next()
						if n += len(batch); len(batch) > test.turn {
							t.Errorf("%d messages came in one turn, want %d at most", len(batch), test.turn)
						}
						release(batch)
					}
					quiet.sends("now")
					synctest.Wait() // everybody waits for the consumer
					before := 0
					batch := next()
					for ; batch[0].String() != "now"; batch = next() {
						before += len(batch)
						release(batch)
					}
					if before > test.most {
						t.Errorf("%d messages came before the quiet one, want %d at most", before, test.most)
					}
				}
				for _, c := range append(conns, quiet.far) {
					c.CloseNow(nil)
				}
				for len(next()) > 0 {
				}
			})
		})
	}
}

// flood returns a connection whose peer sends as much as it can.
func flood(t *testing.T) *stream.Conn {
	near, far := net.Pipe()
	conn, err := stream.New(near, stream.Client, nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the connection
		many := bytes.Repeat([]byte("\x81\x05flood"), 10_000) // thousands are at hand with one read
		for err := error(nil); err == nil; {
			_, err = far.Write(many)
		}
		far.Close()
	}()
	return conn
}

func release(messages []stream.Message) {
	for _, m := range messages {
		m.Release()
	}
}

// The Notices of a source that is made of connections come through, and are counted.
// Its last one is not told of twice.
func TestMemberWithGaps(t *testing.T) {
	for _, final := range []bool{true, false} {
		bubble(t, func(t *testing.T) {
			inner, feeder := stream.NewRelay(nil)
			g := fanin.New(nil)
			sub := g.Chan(ctx, nil)
			m := add(t, g, "a", inner)
			g.Close()
			wants := func(want fanin.Stats) {
				t.Helper()
				synctest.Wait()
				if got := m.Stats(); got != want {
					t.Errorf("its statistics are %+v, want %+v", got, want)
				}
			}
			tell := func(gap stream.Gap) { feeder.Notify(ctx, &stream.Origin{Epoch: gap.From}, &gap) }
			first, lost := newFeed(t), result.Status{Code: 1006, Err: io.EOF}
			leave := join(t, feeder, first, 1)
			wants(fanin.Stats{})
			first.sends("1")
			wants(fanin.Stats{Received: 1, Epoch: 1, Open: true})
			leave()
			tell(stream.Gap{From: 1, Status: lost})
			wants(fanin.Stats{Received: 1, Epoch: 1, Gaps: 1})
			tell(stream.Gap{From: 1, To: 2})
			wants(fanin.Stats{Received: 1, Epoch: 2, Gaps: 1, Open: true})
			if final {
				tell(stream.Gap{From: 2, Status: lost, Final: true})
			}
			feeder.End(lost)
			all, err := said(sub)
			want := []string{
				"a: 1",
				`a: gap 1 to 0, 1006 "", final: false`,
				`a: gap 1 to 2, 0 "", final: false`,
				`a: gap 2 to 0, 1006 "", final: true`,
			}
			if !slices.Equal(all, want) || !errors.Is(err, io.EOF) {
				t.Errorf("it gave\n%s\nand %v, want\n%s", strings.Join(all, "\n"), err, strings.Join(want, "\n"))
			}
			wants(fanin.Stats{Received: 1, Epoch: 2, Gaps: 1})
		})
	}
}

func join(t *testing.T, feeder *stream.Feeder, f *feed, epoch uint64) (leave func()) {
	t.Helper()
	leave, err := feeder.Join(f.near, &stream.JoinOptions{Origin: stream.Origin{Epoch: epoch}})
	if err != nil {
		t.Fatal(err)
	}
	return leave
}

// A group may be a member of another: messages have the name that they get last.
func TestGroupOfGroups(t *testing.T) {
	bubble(t, func(t *testing.T) {
		outer, inner := fanin.New(nil), fanin.New(nil)
		f := newFeed(t)
		add(t, outer, "inner", inner)
		add(t, inner, "a", f.near)
		inner.Close()
		outer.Close()
		f.sends("1", "2")
		f.closes(1000)
		all, err := said(outer.Chan(ctx, nil))
		want := []string{"inner: 1", "inner: 2", `inner: gap 1 to 0, 1000 "", final: true`}
		if !slices.Equal(all, want) || err != nil {
			t.Errorf("it gave %q and %v, want %q", all, err, want)
		}
	})
}
