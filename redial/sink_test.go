package redial_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/faults"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/redial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// perConn is how many messages a Sink is given for each of its connections over TCP,
// each of which is cut when half of them have arrived:
//
//	go test ./redial -run Sink -sink 10000 # a million messages
var perConn = flag.Int("sink", 200, "messages for each connection that is cut")

// sinkCuts is how many of these connections are cut.
const sinkCuts = 100

// A fate is what became of numbered messages.
type fate struct {
	given   int
	arrived []int         // numbers, in order
	unsent  map[int]error // what the program was told of
}

// sinkThrough sends numbered messages through a Sink whose connections are cut.
func sinkThrough(t *testing.T, carry bool) *fate {
	t.Helper()
	server := &faults.Server{Cut: func(conn int) (int, faults.Kind) {
		if conn > sinkCuts {
			return 0, faults.None
		}
		return *perConn / 2, []faults.Kind{faults.Reset, faults.Finish, faults.Restart}[conn%3]
	}}
	src := redial.New(ctx, dialer(server.Listen(t)), &redial.Options{
		Carry: carry, Retry: redial.Backoff(time.Microsecond, time.Microsecond),
	})
	go func() { // ends with the source
		for range src.All(ctx) {
		}
	}()
	f := &fate{unsent: make(map[int]error)}
	more := make(chan struct{}, 1<<20) // another one for each that is given up
	sink := src.Sink(ctx, &stream.SinkOptions{CloseConn: true, Unsent: func(m stream.Message, why error) {
		n, _ := faults.Number(m.Data)
		f.unsent[int(n)] = why
		more <- struct{}{}
	}})
	give := func() {
		sink <- stream.Message{Type: stream.Binary, Data: fmt.Appendf(nil, "%d ", f.given)}
		f.given++
	}
	for {
		conn, err := src.Ready(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if server.Conns() > sinkCuts {
			break
		}
		for range *perConn {
			give()
		}
		for cut := false; !cut; {
			select {
			case <-conn.Done():
				cut = true
			case <-more:
				give()
			}
		}
	}
	give()
	close(sink)
	if _, err := ends(t, src); err != nil {
		t.Errorf("it ended with %v", err)
	}
	want(t, "connections", server.Conns(), sinkCuts+1)
	for _, text := range server.Got() {
		n, _ := faults.Number([]byte(text))
		f.arrived = append(f.arrived, int(n))
	}
	return f
}

// inOrder checks that messages arrived in order, and none twice.
func (f *fate) inOrder(t *testing.T) {
	t.Helper()
	for i := 1; i < len(f.arrived); i++ {
		if f.arrived[i] <= f.arrived[i-1] {
			t.Fatalf("message %d arrived behind %d", f.arrived[i], f.arrived[i-1])
		}
	}
}

// A message arrives, or the program is told that it was not sent, or it was written
// before a cut: never two of these.
func TestSinkCut(t *testing.T) {
	f := sinkThrough(t, false)
	f.inOrder(t)
	for _, n := range f.arrived {
		if why, is := f.unsent[n]; is {
			t.Errorf("message %d arrived, and was given up: %v", n, why)
		}
	}
	for n, why := range f.unsent {
		if why != redial.ErrGap {
			t.Errorf("message %d was given up: %v", n, why)
		}
	}
	if least := sinkCuts * *perConn / 2; len(f.arrived) < least {
		t.Errorf("%d messages arrived, want at least %d", len(f.arrived), least)
	}
	t.Logf("of %d messages %d arrived, %d were unsent", f.given, len(f.arrived), len(f.unsent))
}

// With Carry nothing is given up, and the last message arrives on the last connection.
func TestSinkCarries(t *testing.T) {
	f := sinkThrough(t, true)
	f.inOrder(t)
	want(t, "given up", len(f.unsent), 0)
	want(t, "the last message that arrived", f.arrived[len(f.arrived)-1], f.given-1)
	t.Logf("of %d messages %d arrived", f.given, len(f.arrived))
}

func text(s string) stream.Message { return stream.Message{Type: stream.Text, Data: []byte(s)} }

// A toldOf collects what a sink gives up.
type toldOf struct{ all chan string }

func (u *toldOf) unsent(m stream.Message, why error) { u.all <- fmt.Sprintf("%s: %v", m, why) }

func (u *toldOf) wants(t *testing.T, list ...string) {
	t.Helper()
	synctest.Wait()
	for _, w := range list {
		select {
		case got := <-u.all:
			want(t, "what was given up", got, w)
		default:
			t.Errorf("%q was not given up", w)
		}
	}
	if n := len(u.all); n > 0 {
		t.Errorf("%d more were given up: %s", n, <-u.all)
	}
}

// What a sink holds while there is no connection, with Carry and without.
func TestSinkInGap(t *testing.T) {
	for _, carry := range []bool{true, false} {
		bubble(t, fmt.Sprintf("carry %v", carry), func(t *testing.T) {
			server := newServer(t)
			server.fails(errNobody)
			src := redial.New(ctx, server.dial, &redial.Options{Carry: carry, Retry: at})
			defer src.CloseNow(nil)
			go func() { // ends with the source
				for range src.All(ctx) {
				}
			}()
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			u := &toldOf{make(chan string, 100)}
			sink := src.Sink(ctx, &stream.SinkOptions{Unsent: u.unsent})
			sink <- text("early")
			time.Sleep(time.Minute)
			u.wants(t)
			server.fails(nil)
			p := <-server.peers
			p.Wants("what waited for the first connection", script.Text("early"))
			sink <- text("one")
			p.Wants("what was sent", script.Text("one"))

			server.fails(errNobody)
			p.StopsReading()
			time.Sleep(time.Second)
			sink <- text("on its way") // the pipe holds no bytes: it is never written
			synctest.Wait()
			p.Cuts()
			time.Sleep(time.Minute)
			sink <- stream.Message{Type: stream.Notice} // is passed over, as on a connection
			sink <- text("late")
			time.Sleep(time.Minute)
			if carry {
				u.wants(t)
			} else {
				u.wants(t, "on its way: "+redial.ErrGap.Error(), "late: "+redial.ErrGap.Error())
			}
			server.fails(nil)
			p = <-server.peers
			synctest.Wait() // the connection is open: what comes is not in a gap any more
			if carry {
				p.Wants("what was carried", script.Text("on its way"))
				p.Wants("what came in the gap", script.Text("late"))
			}
			sink <- text("again")
			p.Wants("what comes then", script.Text("again"))
			u.wants(t)
		})
	}
}

// A message that cannot be sent is passed over, wherever it stands.
func TestSinkPassesOver(t *testing.T) {
	bubble(t, "bad", func(t *testing.T) {
		server := newServer(t)
		src := redial.New(ctx, server.dial, &redial.Options{Carry: true, Retry: at})
		defer src.CloseNow(nil)
		go func() { // ends with the source
			for range src.All(ctx) {
			}
		}()
		u := &toldOf{make(chan string, 100)}
		sink := src.Sink(ctx, &stream.SinkOptions{Unsent: u.unsent})
		p := <-server.peers
		p.Cuts()
		time.Sleep(time.Millisecond)
		bad := stream.Message{Type: stream.Close}
		for _, m := range []stream.Message{bad, text("one"), bad, text("two"), bad} {
			sink <- m
		}
		p = <-server.peers
		p.Wants("the first good one", script.Text("one"))
		p.Wants("the second good one", script.Text("two"))
		synctest.Wait()
		want(t, "given up", len(u.all), 3)
		close(sink)
	})
}

// The ends of a sink: its channel is closed, its context ends, its source ends, or it
// cannot be used.
func TestSinkEnds(t *testing.T) {
	start := func(t *testing.T) (*server, *redial.Source, *toldOf) {
		server := newServer(t)
		src := redial.New(ctx, server.dial, &redial.Options{Retry: hourly, Carry: true})
		t.Cleanup(func() { src.CloseNow(nil) })
		go func() { // ends with the source
			for range src.All(ctx) {
			}
		}()
		return server, src, &toldOf{make(chan string, 100)}
	}
	gapped := func(t *testing.T) (*redial.Source, *toldOf) {
		server, src, u := start(t)
		p := <-server.peers
		p.Cuts()
		synctest.Wait()
		return src, u
	}
	bubble(t, "the channel, with CloseConn", func(t *testing.T) {
		server, src, _ := start(t)
		sink := src.Sink(ctx, &stream.SinkOptions{CloseConn: true})
		sink <- text("one")
		close(sink)
		p := <-server.peers
		p.Wants("what stood in it", script.Text("one"))
		p.WantsClose(1000)
		p.Sends(script.Close(1000, ""))
		_, err := ends(t, src)
		want(t, "the end", err, nil)
	})
	for range 20 { // the sink may not have begun
		bubble(t, "Close sends what stands in it", func(t *testing.T) {
			server, src, u := start(t)
			p := <-server.peers
			synctest.Wait()
			sink := src.Sink(ctx, &stream.SinkOptions{Unsent: u.unsent})
			for range 3 {
				sink <- text("more")
			}
			src.Close(1000, "")
			want(t, "Send's error", errors.Is(src.SendText(ctx, "late"), net.ErrClosed), true)
			for range 3 {
				p.Wants("what stood in it", script.Text("more"))
			}
			p.WantsClose(1000)
			p.Sends(script.Close(1000, ""))
			ends(t, src)
			u.wants(t)
			close(sink)
		})
	}
	bubble(t, "the context in a gap", func(t *testing.T) {
		src, u := gapped(t)
		ctx, cancel := context.WithCancelCause(ctx)
		sink := src.Sink(ctx, &stream.SinkOptions{Unsent: u.unsent})
		sink <- text("one")
		sink <- text("two")
		u.wants(t)
		cancel(errNobody)
		u.wants(t, "one: nobody there", "two: nobody there")
	})
	bubble(t, "the source in a gap", func(t *testing.T) {
		src, u := gapped(t)
		sink := src.Sink(ctx, &stream.SinkOptions{Unsent: u.unsent})
		sink <- text("one")
		src.Close(1000, "")
		ended := "wsflow: the source has ended: " + net.ErrClosed.Error()
		u.wants(t, "one: "+ended)
		sink <- text("two")
		u.wants(t, "two: "+ended)
		close(sink)
	})
	bubble(t, "the channel in a gap", func(t *testing.T) {
		src, u := gapped(t)
		sink := src.Sink(ctx, &stream.SinkOptions{Unsent: u.unsent})
		sink <- text("one")
		close(sink)
		time.Sleep(2 * time.Hour) // the next connection takes it
		u.wants(t)
	})
	bubble(t, "bad arguments", func(t *testing.T) {
		_, src, _ := start(t)
		var n atomic.Int64
		unsent := func(_ stream.Message, why error) {
			if errors.As(why, new(*result.ArgumentError)) {
				n.Add(1)
			}
		}
		for _, sink := range []chan<- stream.Message{
			src.Sink(none, &stream.SinkOptions{Unsent: unsent}),
			src.Sink(ctx, &stream.SinkOptions{Unsent: unsent, Buffer: 1<<24 + 1}),
		} {
			sink <- text("one")
			close(sink)
		}
		synctest.Wait()
		want(t, "given up", n.Load(), 2)
	})
}
