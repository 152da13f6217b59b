package stream

import (
	"net"
	"runtime"
	"sync"
	"testing"
	"time"
)

// A deadlined connection knows whether its deadline is in the past.
type deadlined struct {
	net.Conn
	mu   sync.Mutex
	past bool
}

func (d *deadlined) SetReadDeadline(t time.Time) error {
	runtime.Gosched() // somebody else may come first
	d.mu.Lock()
	defer d.mu.Unlock()
	d.past = !t.IsZero()
	return nil
}

// Whoever calls a Read back while another one resumes it leaves a deadline that
// is known as ours, or none: one that is not would end the connection.
func TestInterruptBesideResume(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	d := &deadlined{Conn: ours}
	defer d.Close()
	var tr transport
	tr.init(d)
	for range 10_000 {
		tr.interrupt()
		var both sync.WaitGroup
		both.Go(tr.interrupt)
		both.Go(tr.resume)
		both.Wait()
		if called := tr.called.Load(); called != d.past {
			t.Fatalf("the deadline is in the past: %t, and is known as ours: %t", d.past, called)
		}
	}
}
