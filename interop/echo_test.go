package interop

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wsflow/wsflow/deflate"
	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/stream"
)

// An outfit is how a connection is equipped.
type outfit struct {
	name      string
	operators []stream.Operator
}

// outfits are no operators at all; the defaults, which are permessage-deflate
// and a heartbeat; and permessage-deflate for messages of any size, which by
// default leaves short ones as they are.
var outfits = []outfit{
	{"bare", []stream.Operator{}},
	{"default", nil},
	{"compressing all", []stream.Operator{deflate.New(&deflate.Options{Threshold: -1})}},
}

// lengths lie on both sides of where frame headers and buffers change.
var lengths = []int{1, 2, 125, 126, 127, 4095, 65535, 65536}

// textMessages have characters of one to four bytes.
func textMessages() []stream.Message {
	var all []stream.Message
	for _, n := range lengths {
		all = append(all, text(strings.Repeat("aé€😀", n/10+1)[:n/10*10]+strings.Repeat("z", n%10)))
	}
	return all
}

func binaryMessages() []stream.Message {
	random := rand.NewChaCha8([32]byte{})
	var all []stream.Message
	for _, n := range lengths {
		data := make([]byte, n)
		random.Read(data)
		all = append(all, bin(data))
	}
	return all
}

// emptyMessages stand between others, so that one which is lost is noticed.
func emptyMessages() []stream.Message {
	return []stream.Message{text(""), bin(nil), text("between"), bin(nil), text(""), text("last")}
}

func text(s string) stream.Message {
	return stream.Message{Type: stream.Text, Data: []byte(s)}
}

func bin(data []byte) stream.Message {
	return stream.Message{Type: stream.Binary, Data: data}
}

// echoes sends messages in each way, takes them in each way, and compares.
func echoes(messages func() []stream.Message) func(*testing.T, *running) {
	return func(t *testing.T, r *running) {
		for _, o := range outfits {
			for _, from := range senders {
				for _, to := range takers {
					t.Run(fmt.Sprintf("%s/%s/%s", o.name, from.name, to.name), func(t *testing.T) {
						conn := r.dial(t, standard, &dial.Options{Operators: o.operators})
						echo(t, conn, from, to, messages())
					})
				}
			}
		}
	}
}

func echo(t *testing.T, conn *stream.Conn, from sender, to taker, messages []stream.Message) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := to.take(ctx, conn, len(messages))
	from.send(t, conn, messages)
	if err := gives(t, got, messages); err != nil {
		t.Errorf("taking ended with %v", err)
	}
}

// echoesFragments sends messages in many fragments, some of which cut
// characters in two.
func echoesFragments(t *testing.T, r *running) {
	messages := []stream.Message{
		text(strings.Repeat("aé€😀", 200)),
		bin(binaryMessages()[6].Data[:4000]),
		text(""),
		text("whole"),
	}
	for _, o := range outfits {
		for _, size := range []int{1, 7, 1000} {
			t.Run(fmt.Sprintf("%s/%d bytes each", o.name, size), func(t *testing.T) {
				conn := r.dial(t, standard, &dial.Options{Operators: o.operators, FragmentSize: size})
				echo(t, conn, senders[0], takers[0], messages)
			})
		}
		t.Run(o.name+"/Writer", func(t *testing.T) {
			conn := r.dial(t, standard, &dial.Options{Operators: o.operators})
			large := bin(binaryMessages()[7].Data)
			echo(t, conn, senders[2], takers[1], []stream.Message{large, text("whole"), large})
		})
	}
}

// echoesLarge sends the largest message that is taken without raising a limit.
// The race detector, which takes more than ten times as long, sees no more with
// one peer than with another: only the first gets all of it then.
func echoesLarge(t *testing.T, r *running) {
	size := 16 << 20
	if raceDetector && r.peer.name != peers[0].name {
		size = 1 << 20
	}
	data := make([]byte, size)
	part := binaryMessages()[7].Data
	for i := 0; i < size; i += len(part) {
		copy(data[i:], part[:4000+i%50000])
	}
	for _, o := range outfits {
		t.Run(o.name, func(t *testing.T) {
			conn := r.dial(t, standard, &dial.Options{Operators: o.operators})
			echo(t, conn, senders[0], takers[0], []stream.Message{bin(data), text("after it")})
		})
	}
}
