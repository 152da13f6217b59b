package stream

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wsflow/wsflow/internal/cut"

	"github.com/wsflow/wsflow/internal/bufpool"
)

// A transport is the byte stream under a connection: whatever New was given,
// plus a way to call a waiting Read back.
//
// On a plain socket, reads and writes can be tried without waiting for the peer:
// memory to read into is borrowed only once something is there.
type transport struct {
	rwc recallable
	raw syscall.RawConn // nil unless rwc is a plain socket

	closed atomic.Bool
	recall sync.Mutex  // held while called and the deadline change: they say the same
	called atomic.Bool // interrupt was called, and resume was not

	// Of await.
	first [1]byte
	asked bool                  // raw was asked for first
	got   uint8                 // bytes that it had
	errno uint8                 // its error, other than that it had none
	look  func(fd uintptr) bool // asks; made once, as making it allocates
}

// A recallable connection has a Read that can be called back.
type recallable interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
}

// init takes what New was given, and leaves it as it is.
func (t *transport) init(rwc io.ReadWriteCloser) {
	if c, ok := rwc.(recallable); ok {
		t.rwc = c
	} else {
		t.rwc = newPatient(rwc)
	}
}

// begin sees what the transport can do.
func (t *transport) begin() {
	if c, ok := t.given().(interface{ SetDeadline(time.Time) error }); ok {
		c.SetDeadline(time.Time{}) // one that was meant for the opening handshake
	}
	if t.rwc.SetReadDeadline(time.Time{}) != nil {
		t.rwc = newPatient(t.rwc)
	}
	if t.raw = plainSocket(t.rwc); t.raw != nil {
		t.look = t.ask
	}
}

// await waits until there is something to read, and returns 1 if the first byte
// of it was read, into first.
func (t *transport) await() (n int, err error) {
	if t.raw != nil {
		return t.awaitRaw()
	}
	return t.rwc.Read(t.first[:])
}

var longAgo = time.Unix(1, 0)

// interrupt makes the read that is waiting, or else the next one, return
// os.ErrDeadlineExceeded. It lasts until resume.
func (t *transport) interrupt() {
	t.recall.Lock()
	defer t.recall.Unlock()
	t.called.Store(true)
	t.rwc.SetReadDeadline(longAgo)
}

func (t *transport) resume() {
	t.recall.Lock()
	defer t.recall.Unlock()
	t.called.Store(false)
	t.rwc.SetReadDeadline(time.Time{})
}

// recalled reports that a Read returned because of interrupt. A connection of
// the caller's own may time out by itself, which is its end.
func (t *transport) recalled(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) && t.called.Load()
}

// cut closes the connection at once, whatever is on its way.
func (t *transport) cut() {
	cut.Below(t.rwc)
	t.close()
}

// close closes the connection, once: io.Closer does not say what a second Close
// does.
func (t *transport) close() {
	if !t.closed.Swap(true) {
		t.rwc.Close()
	}
}

// write writes all of p, waiting for the network, or returns an error.
func (t *transport) write(_ *bufpool.Buffer, p []byte) (int, error) {
	n, err := t.rwc.Write(p)
	if n < len(p) && err == nil {
		err = io.ErrShortWrite
	}
	return n, err
}

// closeWrite tells the peer that no more bytes will come, where the transport
// can: TCP's FIN, TLS' close_notify. It reports whether it did.
func (t *transport) closeWrite() bool {
	c, ok := t.rwc.(interface{ CloseWrite() error })
	return ok && c.CloseWrite() == nil
}

// A patient gives a connection that knows no deadlines a Read that can be
// called back. A goroutine reads for it, one buffer at a time; it starts with
// the first Read and stops when the connection is closed.
type patient struct {
	io.ReadWriteCloser
	start  sync.Once
	chunks chan chunk
	more   chan struct{} // the chunk has been used up
	recall chan struct{} // holds a token from a deadline in the past until one that is not
	closed chan struct{}
	close  sync.Once

	rest chunk // of the reader alone
}

type chunk struct {
	p   []byte
	err error
}

func newPatient(rwc io.ReadWriteCloser) *patient {
	return &patient{
		ReadWriteCloser: rwc,
		chunks:          make(chan chunk),
		more:            make(chan struct{}, 1),
		recall:          make(chan struct{}, 1),
		closed:          make(chan struct{}),
	}
}

func (p *patient) read() {
	buf := make([]byte, 16<<10)
	for {
		n, err := p.ReadWriteCloser.Read(buf)
		select {
		case p.chunks <- chunk{buf[:n], err}:
		case <-p.closed:
			return
		}
		if err != nil {
			return
		}
		select {
		case <-p.more:
		case <-p.closed:
			return
		}
	}
}

func (p *patient) Read(b []byte) (int, error) {
	p.start.Do(func() { go p.read() })
	for len(p.rest.p) == 0 {
		if p.rest.err != nil {
			return 0, p.rest.err
		}
		select {
		case p.rest = <-p.chunks:
		case <-p.recall:
			p.SetReadDeadline(longAgo)
			return 0, os.ErrDeadlineExceeded
		case <-p.closed:
			return 0, net.ErrClosed
		}
		if len(p.rest.p) == 0 && p.rest.err == nil {
			p.more <- struct{}{}
		}
	}
	n := copy(b, p.rest.p)
	p.rest.p = p.rest.p[n:]
	if len(p.rest.p) == 0 && p.rest.err == nil {
		p.more <- struct{}{}
	}
	return n, nil
}

// SetReadDeadline knows two deadlines: one in the past and none.
func (p *patient) SetReadDeadline(t time.Time) error {
	if t.IsZero() {
		select {
		case <-p.recall:
		default:
		}
		return nil
	}
	select {
	case p.recall <- struct{}{}:
	default:
	}
	return nil
}

func (p *patient) Close() error {
	p.close.Do(func() { close(p.closed) })
	return p.ReadWriteCloser.Close()
}
