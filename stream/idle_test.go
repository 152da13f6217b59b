package stream_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// sockets returns both ends of a TCP connection over loopback.
func sockets(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if ours, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if theirs, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close() })
	return ours, theirs
}

// overSockets returns a connection over one of both ends, and these.
func overSockets(t *testing.T, o *stream.Options) (c *stream.Conn, ours, theirs net.Conn) {
	t.Helper()
	ours, theirs = sockets(t)
	c, err := stream.New(ours, stream.Client, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow(nil) })
	return c, ours, theirs
}

// polled returns once the runtime has heard of all that had come to sockets by
// then: readiness is told once.
func polled(t *testing.T) {
	t.Helper()
	ours, theirs := sockets(t)
	defer ours.Close()
	go io.Copy(theirs, theirs)
	var p [1]byte
	for range 100 {
		ours.Write(p[:])
		if _, err := ours.Read(p[:]); err != nil {
			t.Fatal(err)
		}
	}
}

// A socket that had little is waited on with one byte of memory. That byte may
// be the last one of a frame, behind which nothing comes.
func TestLastByteComesAlone(t *testing.T) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c, _, theirs := overSockets(t, nil)
	theirs.Write([]byte{0x82, 3, 'a', 'b'})
	_, message, err := c.Reader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ab", "c"} {
		var p [8]byte
		n, err := message.Read(p[:])
		if got := string(p[:n]); got != want || err != nil {
			t.Fatalf("read %q, error %v; want %q", got, err, want)
		}
		if want == "ab" {
			theirs.Write([]byte{'c'})
			polled(t) // it is there when it is asked for
		}
	}
}

// What has come by the time that the look-ahead first asks for it is not lost.
func TestAheadOfWhatIsThere(t *testing.T) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c, _, theirs := overSockets(t, nil)
	theirs.Write([]byte{0x82, 1, 'a'})
	var got string
	for m, err := range c.All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		got += m.String()
		if got == "ab" {
			break
		}
		resume := c.Pause()
		theirs.Write([]byte{0x82, 1, 'b', 0x89, 1, '?'})
		go func() {
			var pong [7]byte
			io.ReadFull(theirs, pong[:])
			resume()
		}()
	}
	if got != "ab" {
		t.Fatalf("messages %q; want ab", got)
	}
}

// A loop that begins with something at hand may stay in its body for long: it is
// watched over from the start.
func TestLoopThatBeginsBusy(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		p := script.Client(t, &stream.Options{Buffered: []byte{0x82, 1, 'a'}})
		whileAway(t, p.Conn, func(stream.Message) { answersSoon(t, p) })
	})
}

// answersSoon checks that a Ping is answered within a second.
func answersSoon(t *testing.T, p *script.Peer) {
	t.Helper()
	p.Sends(script.Ping("alive?"))
	start := time.Now()
	p.Wants("the answer", script.Pong("alive?"))
	if took := time.Since(start); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

// A consumer that goes away right after a pause, with a message that stood in
// the buffer, has its Pings answered like any other.
func TestAwayAfterAPause(t *testing.T) {
	bubble(t, "a Ping", func(t *testing.T) {
		p := script.Client(t, nil)
		go func() {
			for m := range p.Conn.All(ctx) {
				if m.String() == "a" {
					time.AfterFunc(2*time.Second, p.Conn.Pause())
					continue
				}
				<-p.Conn.Done() // away
			}
		}()
		p.Sends(script.Text("a"), script.Text("b"))
		time.Sleep(time.Minute)
		p.Sends(script.Ping("there?"))
		p.Wants("the answer", script.Pong("there?"))
	})
}
