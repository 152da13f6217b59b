package stream_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// floodNumbered sends messages that are numbered from 0 on, 40 KiB of them at
// a time, until the peer is closed.
func floodNumbered(peer net.Conn) {
	for n := uint64(0); ; {
		var burst []byte
		for len(burst) < 40<<10 {
			burst = append(burst, 0x82, 16, 0, 0, 0, 0, 0, 0, 0, 0)
			burst = binary.BigEndian.AppendUint64(burst, n)
			n++
		}
		if _, err := peer.Write(burst); err != nil {
			return
		}
	}
}

// A keeper checks that numbered messages come without a gap, and keeps the first
// and some of the others, on which it writes its name.
type keeper struct {
	name  byte
	every uint64 // it keeps one in so many
	next  uint64
	kept  []stream.Message
	ids   []uint64 // their numbers
}

func (k *keeper) take(t *testing.T, m stream.Message) {
	n := binary.BigEndian.Uint64(m.Data[8:])
	if k.next == 0 {
		k.next = n
	}
	if m.Data[0] != 0 || n != k.next {
		t.Fatalf("message %d comes as %x to keeper %d", k.next, m.Data, k.name)
	}
	if k.next++; len(k.kept) > 0 && n%k.every > 0 {
		m.Release()
		return
	}
	m.Data[0] = k.name
	k.kept, k.ids = append(k.kept, m), append(k.ids, n)
}

func (k *keeper) check(t *testing.T) {
	for i, m := range k.kept {
		if n := binary.BigEndian.Uint64(m.Data[8:]); m.Data[0] != k.name || n != k.ids[i] {
			t.Fatalf("keeper %d finds that message %d is %x", k.name, k.ids[i], m.Data)
		}
	}
}

// Messages that share the buffer they were read into are as their owner left
// them for as long as it keeps them, whoever comes and goes beside it.
func TestMessagesOutliveTheirBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		c, err := stream.New(ours, stream.Client, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow(nil)
		go floodNumbered(theirs)
		defer theirs.Close()

		first := &keeper{name: 1, every: 100}
		batches := c.Batches(t.Context(), nil)
		for range 20 {
			second := &keeper{name: 2, every: 100}
			other := c.Chan(t.Context(), nil)
			for batches, messages := batches.C, other.C; second.next == 0 || len(second.kept) < 20; {
				select {
				case batch := <-batches:
					for _, m := range batch {
						first.take(t, m)
					}
				case m := <-messages:
					second.take(t, m)
				}
			}
			other.Cancel()
			for m := range other.C {
				second.take(t, m)
			}
			second.check(t)
			for range 50 { // alone
				for _, m := range <-batches.C {
					first.take(t, m)
				}
			}
		}
		first.check(t)
	})
}

// overPipe starts a client over a pipe, with the peer's end.
func overPipe(t *testing.T) (*stream.Conn, net.Conn) {
	ours, theirs := net.Pipe()
	c, err := stream.New(ours, stream.Client, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow(nil); theirs.Close() })
	return c, theirs
}

// A read that ends with a message leaves its buffer to the messages in it.
func TestMessagesOutliveAReadOfWholeOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, theirs := overPipe(t)
		batches := c.Batches(t.Context(), nil)
		var kept []stream.Message
		for round := range 10 {
			go theirs.Write(bytes.Repeat(append([]byte{0x82, 30}, bytes.Repeat([]byte{byte(round)}, 30)...), 512)) // 16 KiB
			for n := 0; n < 512; {
				for _, m := range <-batches.C {
					if n++; n%100 == 0 {
						kept = append(kept, m)
					} else {
						m.Release()
					}
				}
			}
		}
		for i, m := range kept {
			if want := bytes.Repeat([]byte{byte(i / 5)}, 30); !bytes.Equal(m.Data, want) {
				t.Fatalf("message %d that was kept is %x, want %x", i, m.Data, want)
			}
		}
	})
}

// A batch and its messages are there until the last of them was released,
// whatever they lie in.
func TestBatchIsThereUntilItsLastMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, theirs := overPipe(t)
		bytesOf := script.Client(t, nil)
		go func() {
			for round := 0; ; round++ {
				var burst []byte
				for i := range 1200 {
					burst = append(burst, bytesOf.Bytes(script.Text("one of many small ones"))...)
					if i%100 == 99 {
						burst = append(burst, bytesOf.Bytes(script.Text("in ").Open(), script.Last(fmt.Sprint("fragments ", round)))...)
					}
				}
				if _, err := theirs.Write(burst); err != nil {
					return
				}
			}
		}()
		var kept []*stream.Message // messages in fragments, where they lie in their batches
		batches := c.Batches(t.Context(), nil)
		for len(kept) < 200 {
			batch := <-batches.C
			for i, m := range batch {
				if string(m.Data[:2]) == "on" {
					m.Release()
				} else {
					kept = append(kept, &batch[i])
				}
			}
		}
		for i, m := range kept {
			if want := fmt.Sprint("in fragments ", i/12); m.String() != want {
				t.Fatalf("the message in fragments number %d is %q, want %q", i, m.Data, want)
			}
		}
	})
}

// leaveAndCome takes numbered messages as one subscriber after the other, each
// of which leaves while there are more at hand. None may be lost.
func leaveAndCome(t *testing.T, c *stream.Conn) (keepers []*keeper) {
	next := uint64(0)
	for i := range 50 {
		k := &keeper{name: byte(i + 1), every: 1 << 62, next: next}
		keepers = append(keepers, k)
		s := c.Chan(t.Context(), &stream.SubscribeOptions{Size: 1})
		for range 137 {
			k.take(t, <-s.C)
		}
		s.Cancel()
		for m := range s.C {
			k.take(t, m)
		}
		next = k.next
	}
	return keepers
}

// What a subscriber leaves of its messages goes to the next one, whose own it
// is then.
func TestLeftMessagesChangeTheirOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, theirs := overPipe(t)
		go floodNumbered(theirs)
		for _, k := range leaveAndCome(t, c) {
			k.check(t)
		}
	})
}
