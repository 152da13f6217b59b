package script

import (
	"errors"
	"io"
	"testing/synctest"
)

// Next returns the next frame from the connection, whatever it is.
func (p *Peer) Next(why string) Received {
	p.t.Helper()
	e, ok := p.event()
	switch {
	case !ok:
		p.t.Fatalf("%s: wanted a frame, nothing came for %v", why, patience)
	case e.err != nil:
		p.t.Fatalf("%s: wanted a frame, the connection ended: %v %v", why, e.err, e.frame)
	}
	return e.frame
}

// Wants waits for the next frame, which must be this one in FIN, reserved
// bits, opcode and payload.
func (p *Peer) Wants(why string, want Frame) {
	p.t.Helper()
	e, ok := p.event()
	switch {
	case !ok:
		p.t.Fatalf("%s:\nwanted %v\nnothing came for %v", why, want, patience)
	case e.err != nil:
		p.t.Fatalf("%s:\nwanted %v\nthe connection ended: %v", why, want, e.err)
	case !same(e.frame.Frame, want):
		p.t.Fatalf("%s:\nwanted %v\ncame   %v", why, want, e.frame)
	}
}

// WantsMessage waits for the next message, in however many fragments, with no
// control frame between them.
func (p *Peer) WantsMessage(why string, want Frame) {
	p.t.Helper()
	whole := p.Next(why)
	for !whole.Fin {
		f := p.Next(why)
		if f.Opcode != OpContinuation {
			p.t.Fatalf("%s:\nwanted %v\ncame   %v\nthen   %v", why, want, whole, f)
		}
		whole.Payload, whole.Fin = append(whole.Payload, f.Payload...), f.Fin
	}
	if !same(whole.Frame, want) {
		p.t.Fatalf("%s:\nwanted %v\ncame   %v", why, want, whole)
	}
}

// WantsClose waits for the next frame, which must be a Close with this code:
// 1005 for one without. It returns the reason.
func (p *Peer) WantsClose(code int) (reason string) {
	p.t.Helper()
	e, ok := p.event()
	switch {
	case !ok:
		p.t.Fatalf("wanted close %d, nothing came for %v", code, patience)
	case e.err != nil:
		p.t.Fatalf("wanted close %d, the connection ended: %v", code, e.err)
	case e.frame.Opcode != OpClose || closeCode(e.frame.Frame) != code:
		p.t.Fatalf("wanted close %d\ncame   %v", code, e.frame)
	case len(e.frame.Payload) < 2:
		return ""
	}
	return string(e.frame.Payload[2:])
}

// WantsEOF waits until the connection has closed its end of the network
// connection; no frame may come before that.
func (p *Peer) WantsEOF() {
	p.t.Helper()
	e, ok := p.event()
	switch {
	case !ok:
		p.t.Fatalf("wanted the end of the connection, nothing came for %v", patience)
	case e.err == nil:
		p.t.Fatalf("wanted the end of the connection\ncame   %v", e.frame)
	case !errors.Is(e.err, io.EOF):
		p.t.Fatalf("wanted the end of the connection between frames, it ended otherwise: %v %v", e.err, e.frame)
	}
}

// event returns what happens next, or false if nothing does. The end stays.
func (p *Peer) event() (event, bool) {
	e, ok := p.in.takeSoon()
	if e.err != nil {
		p.in.put(e)
	}
	return e, ok
}

// WantsSilence waits until nothing in the bubble moves; no frame may have come
// by then, and the connection may not have ended. It works in a bubble only.
func (p *Peer) WantsSilence(why string) {
	p.t.Helper()
	synctest.Wait()
	e, ok := p.in.pop()
	switch {
	case ok && e.err != nil:
		p.t.Fatalf("%s: wanted nothing, the connection ended: %v", why, e.err)
	case ok:
		p.t.Fatalf("%s: wanted nothing\ncame   %v", why, e.frame)
	}
}
