package deflate

import (
	"sync"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// A receiver inflates the inbound messages of one connection.
type receiver struct {
	state    *State
	takeover bool
	window   window // stays empty without takeover

	decoder *decoder     // borrowed while a message is under way
	head    stream.Frame // what its pieces have in common
	first   bool         // none was handed on
	last    bool         // the input at hand is the last
	over    bool         // all of it was handed on
}

func newReceiver(state *State) *receiver {
	return &receiver{
		state:    state,
		takeover: state.agreed.PeerContextMode == Takeover,
		window:   window{size: 1 << state.agreed.PeerMaxWindowBits},
	}
}

// in is the connection's In. It inflates no more at a time than one piece. The
// memory of the last piece is given back when in is called again after it,
// which is why it reports more.
func (r *receiver) in(f stream.Frame) (out stream.Frame, more bool, err error) {
	again := f.Type == 0
	if again && r.over {
		r.release()
		return stream.Frame{}, false, nil
	}
	if !again {
		r.take(f)
	}
	d := r.decoder
	d.n = 0
	if r.last {
		r.over, err = d.finish()
	} else {
		err = d.run()
	}
	if err != nil {
		r.release()
		r.window = window{}
		return stream.Frame{}, false, &result.ProtocolError{
			Code: result.StatusInvalidPayload,
			What: "permessage-deflate: " + err.Error(),
		}
	}
	if d.n == 0 && !r.over {
		return stream.Frame{}, false, nil
	}
	return r.piece(), r.over || d.n == pieceSize, nil
}

// take begins with the next piece of input.
func (r *receiver) take(f stream.Frame) {
	if f.First {
		r.begin(f)
	}
	r.decoder.in = f.Payload
	r.last = f.Last
	r.state.received.add(0, len(f.Payload))
}

func (r *receiver) begin(f stream.Frame) {
	d := decoders.Get().(*decoder)
	past := &r.window
	if !r.takeover {
		past = &d.window
		past.clear()
	}
	d.reset(past, 1<<r.state.agreed.PeerMaxWindowBits)
	r.decoder = d
	r.head = stream.Frame{Type: f.Type, RSV: f.RSV &^ rsv1}
	r.first, r.over = true, false
}

// piece returns what was inflated as a frame of its own. The window has it
// before anybody else does.
func (r *receiver) piece() stream.Frame {
	d := r.decoder
	f := r.head
	f.First, f.Last, f.Begin, f.End = r.first, r.over, r.first, r.over
	f.Payload = d.out[:d.n]
	if r.takeover || !r.over {
		d.past.add(f.Payload)
	}
	r.first = false
	r.state.received.add(d.n, 0)
	return f
}

// release gives the decoder back.
func (r *receiver) release() {
	if r.decoder == nil {
		return
	}
	r.decoder.in, r.decoder.past = nil, nil
	decoders.Put(r.decoder)
	r.decoder = nil
	r.over = false
}
