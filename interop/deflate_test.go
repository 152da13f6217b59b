package interop

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wsflow/wsflow/deflate"
	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// An ask is what this side wants of permessage-deflate.
type ask struct {
	deflate.Setup
	larger bool // AcceptLargerPeerWindow
}

func (a ask) String() string {
	s := fmt.Sprintf("local %v %d, peer %v %d", a.LocalContextMode, a.LocalMaxWindowBits, a.PeerContextMode, a.PeerMaxWindowBits)
	if a.larger {
		s += " or larger"
	}
	return strings.ReplaceAll(s, " 0", "")
}

// An outcome is what comes of it with a peer.
type outcome struct {
	agreed  deflate.Setup // zero where the peer passes over the offer
	refused int           // the status of the answer where there is no connection
	because string        // what the error then names
	breaks  bool          // the peer fails at its first message
}

var modes = []deflate.ContextMode{deflate.Takeover, deflate.NoTakeover}

func contextAsks() (all []ask) {
	for _, local := range modes {
		for _, peer := range modes {
			all = append(all, ask{Setup: deflate.Setup{LocalContextMode: local, PeerContextMode: peer}})
		}
	}
	return all
}

func windowAsks() (all []ask) {
	for _, bits := range windowSizes(8) {
		all = append(all,
			ask{Setup: deflate.Setup{LocalMaxWindowBits: bits}},
			ask{Setup: deflate.Setup{PeerMaxWindowBits: bits}},
			ask{Setup: deflate.Setup{PeerMaxWindowBits: bits}, larger: true},
			ask{Setup: deflate.Setup{
				LocalContextMode: deflate.NoTakeover, PeerContextMode: deflate.NoTakeover,
				LocalMaxWindowBits: bits, PeerMaxWindowBits: bits,
			}},
		)
	}
	return all
}

// compresses tries each combination of context modes, of both sides.
func compresses(t *testing.T, r *running) {
	r.negotiates(t, r.peer.contexts, contextAsks(), compressible(100))
}

// compressesInWindows tries each size of window that this side may ask for with
// each one that the peer may insist on, and where it insists on none. The
// messages go beyond windows of 14 bits; those of the test above go beyond 15.
func compressesInWindows(t *testing.T, r *running) {
	r.negotiates(t, append([]setting{standard}, r.peer.windows...), windowAsks(), compressible(40))
}

func (r *running) negotiates(t *testing.T, settings []setting, asks []ask, messages []stream.Message) {
	for _, s := range settings {
		for _, a := range asks {
			t.Run(fmt.Sprintf("%v/%v", s, a), func(t *testing.T) {
				operator := deflate.New(&deflate.Options{
					Setups: []deflate.Setup{a.Setup}, AcceptLargerPeerWindow: a.larger, Threshold: -1,
				})
				opts := &dial.Options{Operators: []stream.Operator{operator}}
				want := r.peer.answers(s, a)
				switch {
				case want.refused > 0:
					refused := isRefused(t, r, s, opts, want.refused)
					if !strings.Contains(refused.Error(), want.because) {
						t.Errorf("the error %q does not name %q", refused, want.because)
					}
				case want.breaks:
					breaks(t, r.dial(t, s, opts))
				default:
					isAgreed(t, r.dial(t, s, opts), want.agreed, messages)
				}
			})
		}
	}
}

// isAgreed checks what was negotiated, and that messages pass with it.
func isAgreed(t *testing.T, conn *stream.Conn, want deflate.Setup, messages []stream.Message) {
	t.Helper()
	state, ok := deflate.Of(conn)
	if !ok || want == (deflate.Setup{}) {
		if ok || want != (deflate.Setup{}) {
			t.Fatalf("negotiated is %t, want %+v", ok, want)
		}
		echo(t, conn, senders[0], takers[0], messages)
		return
	}
	if got := state.Agreed(); got != want {
		t.Errorf("agreed is %+v, want %+v", got, want)
	}
	echo(t, conn, senders[0], takers[0], messages)
	total := uint64(0)
	for _, m := range messages {
		total += uint64(len(m.Data))
	}
	for _, b := range []deflate.Bytes{state.Sent(), state.Received()} {
		if b.Plain != total || b.Compressed > total*9/10 {
			t.Errorf("%+v: want all %d bytes, and fewer than that compressed", b, total)
		}
	}
}

// breaks sees that the peer gives up when it has to send.
func breaks(t *testing.T, conn *stream.Conn) {
	t.Helper()
	got := takeAll(t.Context(), conn, -1)
	sendEach(t, conn, []stream.Message{text("hello")})
	want := &result.CloseError{Code: result.StatusInternalError}
	if err := gives(t, got, nil); !sameError(err, want) {
		t.Errorf("taking ended with %v, want %v", err, want)
	}
}

// notAgreed sees that messages pass where the peer does not compress.
func notAgreed(t *testing.T, r *running) {
	isAgreed(t, r.dial(t, off, &dial.Options{}), deflate.Setup{}, compressible(10))
}

// compressible returns about n messages like JSON, of some 400 bytes each.
func compressible(n int) []stream.Message {
	random := rand.New(rand.NewPCG(7, 692))
	messages := []stream.Message{bin(make([]byte, 5000))}
	for i := range n {
		s := fmt.Sprintf(`{"id":%d,"user":"user-%d","price":%d.%02d,"tags":[`, i, random.IntN(50), random.IntN(1e6), random.IntN(100))
		for range 10 {
			s += fmt.Sprintf(`{"name":"tag %d","weight":%d},`, random.IntN(20), random.IntN(1e4))
		}
		messages = append(messages, text(s+`null]}`))
	}
	return append(messages, bin([]byte(strings.Repeat("again and ", 300))))
}
