package stream

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/wsflow/wsflow/internal/wire"
)

// control deals with the control frame that begins at pos, which the consumer
// has come to. Only the first to come to a frame, the consumer or the
// look-ahead, dispatches it. short says that not all of its header is there.
func (r *reader) control(ctx context.Context) (short bool, err error) {
	h, n, err := r.header()
	if err != nil || n == 0 {
		return err == nil, err
	}
	size := n + int(h.Length)
	for r.end-r.pos < size {
		if err := r.fill(ctx, size); err != nil {
			return false, err
		}
	}
	r.dispatch(r.base+int64(r.pos), Type(h.Opcode), unmasked(h, r.buf[r.pos+n:r.pos+size]))
	r.c.w.kick()
	if Type(h.Opcode) == Close {
		return false, r.ending(ctx, size)
	}
	r.pos += size
	return false, nil
}

// unmasked returns the payload of a control frame, or a copy if it is masked:
// the look-ahead may be reading it.
func unmasked(h wire.Header, payload []byte) []byte {
	if h.Masked {
		payload = slices.Clone(payload)
		wire.Mask(payload, payload, h.Key)
	}
	return slices.Clip(payload)
}

// ending passes over the Close frame at pos. Nothing is read behind it.
func (r *reader) ending(ctx context.Context, size int) error {
	if err := r.acquire(ctx); err != nil {
		return err
	}
	r.pos += size
	r.stop(nil)
	r.release()
	return errOver
}

// A dispatcher hands each inbound control frame on exactly once.
type dispatcher struct {
	mu   sync.Mutex
	next int64 // frames that begin before this offset have been seen
}

// dispatch deals with a control frame and then shows it to the operators. An
// answer waits for a kick, which is left to the caller, at less depth.
func (r *reader) dispatch(at int64, t Type, payload []byte) {
	d := &r.c.dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	if at < d.next {
		return
	}
	d.next = at + 1
	r.counts.dealt(t, controlSize(r.role, payload))
	switch t {
	case Ping:
		r.c.w.answer(payload)
	case Pong:
		r.c.ponged(payload, time.Duration(r.last.Load()))
	case Close:
		r.c.peerClosed(payload)
	}
	f := Frame{Type: t, First: true, Last: true, Begin: true, End: true, Payload: payload}
	for i := range r.c.links {
		hook := r.c.links[i].control
		if hook == nil {
			continue
		}
		if err := hook(f); err != nil {
			r.c.fail(operatorError(err))
			return
		}
	}
}

// controlSize returns the size of an inbound control frame, header included.
func controlSize(role Role, payload []byte) int {
	if role == Server {
		return 2 + 4 + len(payload) // with a masking key
	}
	return 2 + len(payload)
}
