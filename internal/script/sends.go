package script

import (
	"math/rand/v2"
	"time"

	"github.com/wsflow/wsflow/stream"
)

// write does what is queued, in order.
func (p *Peer) write() {
	for {
		do, ok := p.out.take(p.stop)
		if !ok {
			return
		}
		do()
	}
}

// Bytes returns the frames as this script would send them.
func (p *Peer) Bytes(frames ...Frame) []byte {
	var b []byte
	for _, f := range frames {
		b = append(b, f.Bytes(p.us == stream.Server)...)
	}
	return b
}

// Sends sends the frames in one piece, as one TCP segment would carry them.
func (p *Peer) Sends(frames ...Frame) { p.SendsRaw(p.Bytes(frames...)) }

// SendsIn sends the frames in pieces of so many bytes.
func (p *Peer) SendsIn(size int, frames ...Frame) {
	for b := p.Bytes(frames...); len(b) > 0; {
		n := min(size, len(b))
		p.SendsRaw(b[:n])
		b = b[n:]
	}
}

// SendsScattered sends the frames in pieces as the seed has it: of 1 to 40
// bytes at first, of up to an eighth of what went before later.
func (p *Peer) SendsScattered(seed uint64, frames ...Frame) {
	random := rand.New(rand.NewPCG(seed, 0))
	b := p.Bytes(frames...)
	for sent := 0; sent < len(b); {
		n := min(1+random.IntN(max(40, sent/8)), len(b)-sent)
		p.SendsRaw(b[sent : sent+n])
		sent += n
	}
}

// SendsRaw sends the bytes as they are. Bytes that the connection no longer
// takes are lost, as on a network.
func (p *Peer) SendsRaw(b []byte) {
	p.out.put(func() { p.nc.Write(b) })
}

// Sent waits until the connection has read all that was sent.
func (p *Peer) Sent() {
	p.t.Helper()
	done := make(chan struct{})
	p.out.put(func() { close(done) })
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
		p.t.Fatalf("the connection has not read for %v", patience)
	}
}

// Cuts closes the network connection once everything before it was sent.
func (p *Peer) Cuts() {
	p.out.put(func() { p.nc.Close() })
}
