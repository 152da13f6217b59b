package script

import (
	"bufio"
	"errors"
	"io"
	"math"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/wsflow/wsflow/stream"
)

// A Peer is the scripted end of a connection. Its methods belong to the
// goroutine of the test, which they end if what they want does not come; those
// whose names begin with Sends may also be called from others.
type Peer struct {
	// Conn is the connection under test, nil for a peer that On made.
	Conn *stream.Conn

	t    testing.TB
	us   stream.Role // of the connection under test
	nc   net.Conn
	gate *gate
	ref  referee

	out     *queue[func()] // what the writer does
	in      *queue[event]  // what the reader saw
	stop    chan struct{}  // ends the writer
	running sync.WaitGroup
	ended   sync.Once
}

// An event is a frame from the connection under test, or the end of reading
// with what there was of a frame.
type event struct {
	frame Received
	err   error
}

// Client returns a peer with a connection in the client role: the script is
// the server. The connection is cut when the test ends.
func Client(t testing.TB, o *stream.Options) *Peer {
	t.Helper()
	return Start(t, stream.Client, o, nil)
}

// Server returns a peer with a connection in the server role: the script is
// the client. The connection is cut when the test ends.
func Server(t testing.TB, o *stream.Options) *Peer {
	t.Helper()
	return Start(t, stream.Server, o, nil)
}

// Start returns a peer with a connection in the role over net.Pipe. If wrap is
// not nil, the connection gets what it makes of its end of the pipe.
func Start(t testing.TB, role stream.Role, o *stream.Options, wrap func(net.Conn) io.ReadWriteCloser) *Peer {
	t.Helper()
	ours, theirs := net.Pipe()
	p := On(t, theirs, role)
	var rwc io.ReadWriteCloser = ours
	if wrap != nil {
		rwc = wrap(ours)
	}
	c, err := stream.New(rwc, role, o)
	if err != nil {
		t.Fatalf("stream.New: %v", err)
	}
	p.Conn = c
	return p
}

// On returns a peer on one end of any network connection. The role is that of
// the other end, which is under test. The peer closes nc when the test ends.
func On(t testing.TB, nc net.Conn, under stream.Role) *Peer {
	p := &Peer{
		t: t, us: under, nc: nc, gate: newGate(nc),
		ref:  referee{client: under == stream.Client},
		out:  newQueue[func()](),
		in:   newQueue[event](),
		stop: make(chan struct{}),
	}
	p.running.Go(p.write) // End stops it
	p.running.Go(p.read)  // nc's end stops it, at last End
	t.Cleanup(p.End)
	return p
}

// End cuts the connection and waits until the script has ended. A test calls it
// where it makes many connections; otherwise it happens by itself.
func (p *Peer) End() {
	p.t.Helper()
	p.ended.Do(func() {
		if p.Conn != nil {
			p.Conn.CloseNow(errors.New("the test is over"))
			p.settles()
		}
		close(p.stop)
		p.nc.Close()
		p.gate.let(math.MaxInt)
		p.running.Wait()
	})
}

func (p *Peer) settles() {
	p.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-p.Conn.Done():
	case <-late.C:
		p.t.Errorf("CloseNow settled nothing within %v", patience)
	}
}

// Reads lets the script read n more bytes, and then none until ReadsOn. The
// script may have read ahead before that.
func (p *Peer) Reads(n int) { p.gate.let(n) }

// StopsReading keeps the script from reading, so that the connection's writes
// stand still.
func (p *Peer) StopsReading() { p.gate.let(0) }

// ReadsOn lets the script read without limit again.
func (p *Peer) ReadsOn() { p.gate.let(math.MaxInt) }

// Allows tells the script which reserved bits the connection may set. It must
// be called before anything is sent.
func (p *Peer) Allows(rsv byte) { p.ref.rsv.Store(uint32(rsv)) }

// read hands every frame to the referee and to the test.
func (p *Peer) read() {
	r := bufio.NewReaderSize(p.gate, 64<<10)
	for {
		f, err := ReadFrame(r)
		if err != nil {
			p.in.put(event{f, err})
			return
		}
		if fault := p.ref.judge(f); fault != "" {
			p.t.Errorf("the connection broke the protocol: %s\nframe: %v", fault, f)
		}
		p.in.put(event{frame: f})
	}
}
