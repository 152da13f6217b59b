package deflate

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"sync"
	"testing"

	"github.com/wsflow/wsflow/stream"
)

const exchanged = 1000

// An exchange is of messages up to a size, with the client's setup.
type exchange struct {
	agreed    Setup
	threshold int
	largest   int
}

func exchanges() []exchange {
	var all []exchange
	for _, threshold := range []int{0, -1} { // with -1 the encoder sees all messages
		all = append(all,
			exchange{defaults, threshold, 130 << 10},
			exchange{Setup{Takeover, NoTakeover, 15, 15}, threshold, 16 << 10},
			exchange{Setup{NoTakeover, Takeover, 15, 15}, threshold, 16 << 10},
			exchange{setup(NoTakeover, 15), threshold, 16 << 10})
	}
	if raced {
		return all
	}
	for bits := 8; bits < 15; bits++ {
		all = append(all,
			exchange{setup(Takeover, bits), 100, 130 << 10},
			exchange{setup(NoTakeover, bits), -1, 130 << 10},
			exchange{Setup{Takeover, NoTakeover, bits, 23 - bits}, -1, 16 << 10})
	}
	return all
}

// A thousand messages of growing size, from none to the largest, go both ways,
// with each of the parameters, and arrive as they were.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-6
func TestSection6Exchange(t *testing.T) {
	for _, e := range exchanges() {
		name := fmt.Sprintf("%d messages, %s, threshold %d", exchanged, clientSide.element(e.agreed), e.threshold)
		conformance.Rule(t, "6", name, e.run)
	}
}

func (e exchange) run(t *testing.T) {
	client, server := connected(t, e.agreed, e.threshold)
	sizes := growing(e.largest)
	ended := make(chan error, 4)
	go func() { ended <- sendGrowing(client, sizes, 1) }()
	go func() { ended <- sendGrowing(server, sizes, 2) }()
	go func() { ended <- takeGrowingAll(client, sizes, 2) }()
	go func() { ended <- takeGrowingChan(server, sizes, 1) }()
	for range cap(ended) {
		if err := <-ended; err != nil {
			t.Error(err)
			client.CloseNow(err)
		}
	}
	ours, _ := Of(client)
	theirs, _ := Of(server)
	if ours.Sent() != theirs.Received() || ours.Received() != theirs.Sent() || ours.Sent().Plain == 0 {
		t.Errorf("the client sent %+v and received %+v, the server %+v and %+v", ours.Sent(), ours.Received(), theirs.Sent(), theirs.Received())
	}
	client.Close(1000, "")
	<-client.Done()
	<-server.Done()
}

// connected returns both ends of a connection with what they negotiated.
func connected(t *testing.T, agreed Setup, threshold int) (client, server *stream.Conn) {
	t.Helper()
	offering := New(&Options{Setups: []Setup{agreed}, Threshold: threshold})
	onServer, answer, ok, err := New(&Options{Threshold: threshold}).Negotiate(offering.Offers()...)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	onClient, err := offering.Accept(answer)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := net.Pipe()
	if client, err = stream.New(ours, stream.Client, &stream.Options{Operators: []stream.Operator{onClient}}); err != nil {
		t.Fatal(err)
	}
	if server, err = stream.New(theirs, stream.Server, &stream.Options{Operators: []stream.Operator{onServer}}); err != nil {
		t.Fatal(err)
	}
	if state, ok := Of(client); !ok || state.Agreed() != agreed {
		t.Fatalf("the client agreed on %+v", state)
	}
	return client, server
}

// growing returns sizes from 0 to the largest, most of them small: the same
// steps at first, ever larger ones at the end.
func growing(largest int) []int {
	sizes := make([]int, exchanged)
	for i := range sizes {
		sizes[i] = i/2 + int(math.Pow(float64(i)/(exchanged-1), 150)*float64(largest-exchanged/2))
	}
	return sizes
}

// exchangedText is what the messages are cut from.
var exchangedText = sync.OnceValue(func() []byte {
	return append(corpus("records", 200<<10, 1)[0], corpus("ticker", 200<<10, 1)[0]...)
})

// growingMessages gives the messages of one direction, the same each time.
func growingMessages(sizes []int, seed uint64) func() stream.Message {
	r := rand.New(rand.NewPCG(seed, 0))
	all := exchangedText()
	incompressible := noise(sizes[len(sizes)-1])
	i := -1
	return func() stream.Message {
		i++
		if i%10 == 8 {
			return stream.Message{Type: stream.Binary, Data: incompressible[:sizes[i]]}
		}
		return stream.Message{Type: stream.Text, Data: all[r.IntN(len(all)-sizes[i]):][:sizes[i]]}
	}
}

func sendGrowing(c *stream.Conn, sizes []int, seed uint64) error {
	next := growingMessages(sizes, seed)
	for i := range sizes {
		if err := ways[i%len(ways)].send(c, next()); err != nil {
			return fmt.Errorf("sending message %d: %w", i, err)
		}
	}
	return nil
}

func sameAs(i int, got, want stream.Message) error {
	if got.Type != want.Type || !bytes.Equal(got.Data, want.Data) {
		return fmt.Errorf("message %d, %v of %d bytes, came as %v of %d", i, want.Type, len(want.Data), got.Type, len(got.Data))
	}
	return nil
}

func takeGrowingAll(c *stream.Conn, sizes []int, seed uint64) error {
	next := growingMessages(sizes, seed)
	i := 0
	for m, err := range c.All(context.Background()) {
		if err == nil {
			err = sameAs(i, m, next())
		}
		if i++; err != nil || i == len(sizes) {
			return err
		}
	}
	return fmt.Errorf("the loop ended after %d messages", i)
}

func takeGrowingChan(c *stream.Conn, sizes []int, seed uint64) error {
	next := growingMessages(sizes, seed)
	s := c.Chan(context.Background(), nil)
	defer s.Cancel()
	i := 0
	for m := range s.C {
		err := sameAs(i, m, next())
		m.Release()
		if i++; err != nil || i == len(sizes) {
			return err
		}
	}
	return fmt.Errorf("the channel was closed after %d messages: %w", i, s.Err())
}
