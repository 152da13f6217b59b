package deflate

import "github.com/wsflow/wsflow/stream"

const (
	fastest             = 1
	thorough            = 5
	takeoverThreshold   = 32
	noTakeoverThreshold = 256

	seedSize = 1 << 10

	// klauspost's writer does not look for copies in less than this, and
	// forgets its window over it.
	libraryLeast = 128

	// At the fastest level, a window of at least 2^tableLeastBits bytes is kept
	// as its last three quarters, and a table in place of the rest. That finds
	// more than all of the window with half of the table: 3 % fewer bytes of
	// English text. It takes less time to look through smaller windows: 4 us for
	// 4 KiB.
	tableLeastBits = 14
)

// kept returns how much is kept, with context takeover, of what was sent: bytes,
// and entries of a table with two bytes each.
func kept(bits, level int) (history, entries int) {
	size := 1 << bits
	if level > fastest || bits < tableLeastBits {
		return size, 0
	}
	return size - size/4, size / 8
}

// A sender compresses the outbound messages of one connection.
type sender struct {
	state     *State
	down      func(stream.Frame) error
	threshold int
	level     int
	bits      int
	takeover  bool
	frame     int      // about how much of a whole message makes a frame; negative: all
	window    window   // stays empty without takeover
	entries   int      // of table
	table     []uint16 // of the window's bytes, or nil
	end       uint16   // the position where the window ends

	encoder *encoder // borrowed while a message is compressed
	first   bool     // no frame of it was handed on
}

func newSender(state *State, opts Options, down func(stream.Frame) error) *sender {
	s := &sender{
		state:     state,
		down:      down,
		threshold: opts.Threshold,
		level:     opts.Level,
		bits:      state.agreed.LocalMaxWindowBits,
		takeover:  state.agreed.LocalContextMode == Takeover,
		frame:     pieceSize,
	}
	if s.threshold == 0 {
		s.threshold = noTakeoverThreshold
		if s.takeover {
			s.threshold = takeoverThreshold
		}
	}
	if s.level == 0 {
		s.level = fastest
		if s.bits < maxWindowBits {
			s.level = thorough
		}
	}
	s.window.size, s.entries = kept(s.bits, s.level)
	return s
}

// out is the connection's Out.
func (s *sender) out(f stream.Frame) error {
	if f.First {
		s.release()
		if !f.Verbatim && (!f.Last || len(f.Payload) >= s.threshold) {
			s.begin(f)
		}
	}
	if s.encoder == nil {
		return s.down(f)
	}
	err := s.compress(f)
	if err != nil || f.Last {
		s.release()
	}
	return err
}

// begin borrows an encoder for the message that begins with f.
func (s *sender) begin(f stream.Frame) {
	s.encoder = encoders.Get().(*encoder)
	s.first = true
	if s.level > fastest && !(f.Last && len(f.Payload) < libraryLeast) {
		s.encoder.startLibrary(&s.window, s.level, 1<<s.bits)
		return
	}
	if s.table == nil && s.takeover && s.entries > 0 {
		s.table = make([]uint16, s.entries)
	}
	s.encoder.start(&s.window, 1<<s.bits, s.table, s.end)
}

// compress sends a piece on. All of it reaches the peer with what is sent, as
// nobody knows when the next piece will come.
func (s *sender) compress(f stream.Frame) error {
	if len(f.Payload) == 0 && !f.Last {
		return nil
	}
	e := s.encoder
	whole := f.First && f.Last
	most := pieceSize
	if whole {
		most = s.frame
	}
	for done := 0; done < len(f.Payload); {
		done = e.write(f.Payload, done)
		if done == len(f.Payload) {
			break
		}
		if whole && s.first && len(e.out) >= done {
			return s.down(f)
		}
		for most > 0 && len(e.out) > most {
			if err := s.send(f, most, false); err != nil {
				return err
			}
		}
	}
	e.finish()
	if f.Last {
		e.out = e.out[:len(e.out)-len(tail)]
	}
	if whole && s.first && len(e.out) >= len(f.Payload) && !s.seeds(len(f.Payload)) {
		return s.down(f)
	}
	if err := s.send(f, len(e.out), f.Last); err != nil {
		return err
	}
	s.remember(f.Payload)
	s.state.sent.add(len(f.Payload), 0)
	return nil
}

// seeds reports whether a message of n bytes is to be compressed although it
// gains nothing, by a few bytes at most, so that the window has something to
// begin with. Otherwise messages that gain by their likeness alone would all go
// as they are. Of those that could only be stored, short ones are like nothing,
// and large ones would have found something in themselves.
func (s *sender) seeds(n int) bool {
	likely := seedSize/4 <= n && n <= seedSize || s.encoder.out[0]>>1&3 != 0
	return s.takeover && s.window.n < seedSize && likely
}

// send hands on the first n bytes of what is compressed, as a frame of the message
// of which f is a piece.
func (s *sender) send(f stream.Frame, n int, last bool) error {
	e := s.encoder
	f.RSV |= rsv1
	f.First, f.Last = s.first, last
	f.Payload = e.out[:n]
	err := s.down(f)
	s.state.sent.add(0, n)
	e.out = e.out[:copy(e.out, e.out[n:])]
	s.first = false
	return err
}

// remember keeps what later messages may refer back to. A message that went as
// it is is not in the peer's window, and must not be in ours.
func (s *sender) remember(p []byte) {
	if !s.takeover {
		return
	}
	s.window.add(p)
	if s.table != nil {
		s.end = s.encoder.matcher.end()
	}
}

func (s *sender) release() {
	if s.encoder != nil {
		s.encoder.release()
		s.encoder = nil
	}
}
