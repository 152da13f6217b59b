package stream

import (
	"bytes"
	"errors"
	"testing"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/result"
)

// A message of many pieces is copied a few times at most, and takes no more memory
// than twice what came, nor, by much, than the limit.
func TestAssemblerGrowsByDoubling(t *testing.T) {
	piece := bytes.Repeat([]byte("0123456789"), 100)
	for _, limit := range []int64{-1, 1 << 30, 150_000} {
		before := bufpool.Lent()
		a, grown, size := assembler{typ: Binary}, 0, 0
		for range 150 {
			a.add(piece, limit)
			if n := len(a.own.Mem); n != size {
				grown, size = grown+1, n
			}
			if most := max(4*a.n, 1<<10); size > most {
				t.Fatalf("limit %d: %d bytes take %d", limit, a.n, size)
			}
		}
		if grown > 10 {
			t.Errorf("limit %d: 150 pieces took %d buffers", limit, grown)
		}
		if limit == 150_000 && size > 160<<10 {
			t.Errorf("the buffer has %d bytes, for a limit of %d", size, limit)
		}
		if m := a.message(); m.Type != Binary || !bytes.Equal(m.Data, bytes.Repeat(piece, 150)) {
			t.Errorf("limit %d: the message is %v of %d bytes", limit, m.Type, len(m.Data))
		}
		a.recall()
		if n := bufpool.Lent() - before; n != 0 || a != (assembler{}) {
			t.Errorf("limit %d: %d buffers are lent, %+v is left", limit, n, a)
		}
	}
}

// A frame that is read to where its message lies gets memory as it comes, not as
// it is announced.
func TestAssemblerRoom(t *testing.T) {
	var a assembler
	a.typ = Binary
	want := []byte{}
	f := frame{fin: true, left: 5 << 20}
	for f.left > 0 {
		p := a.room(&f, -1)
		if len(p) == 0 || int64(len(p)) > f.left || len(a.own.Mem) > max(2*a.n, firstGrasp)+1 {
			t.Fatalf("%d bytes of room, %d in all, behind %d of %d", len(p), len(a.own.Mem), a.n, 5<<20)
		}
		n := (len(p) + 1) / 2
		for i := range p[:n] {
			p[i] = byte(len(want))
			want = append(want, p[i])
		}
		a.came(n)
		if fresh := a.fresh(); !bytes.Equal(fresh, want[len(want)-n:]) {
			t.Fatalf("%d bytes are fresh, of %d that came", len(fresh), n)
		}
		if a.fresh() != nil {
			t.Fatal("bytes are fresh twice")
		}
		f.left -= int64(n)
	}
	if m := a.message(); !bytes.Equal(m.Data, want) {
		t.Error("the message is not what was read")
	}
	a.recall()
}

// A message of many frames that are read to where it lies is copied a few times at
// most, and takes no more memory than twice what came, nor than the limit.
func TestAssemblerRoomForManyFrames(t *testing.T) {
	const frames, each = 64, inPlace + 1
	for _, limit := range []int64{-1, 1 << 30, frames * each} {
		a, grown, size := assembler{typ: Binary}, 0, 0
		for range frames {
			for f := (frame{left: each}); f.left > 0; {
				n := len(a.room(&f, limit))
				if len(a.own.Mem) != size {
					grown, size = grown+1, len(a.own.Mem)
				}
				a.came(n)
				a.fresh()
				f.left -= int64(n)
				if size > 2*a.n {
					t.Fatalf("limit %d: %d bytes take %d", limit, a.n, size)
				}
			}
		}
		if grown > 12 {
			t.Errorf("limit %d: %d frames took %d buffers", limit, frames, grown)
		}
		if limit == frames*each && int64(size) != limit {
			t.Errorf("the buffer has %d bytes, for a limit of %d", size, limit)
		}
		a.reset()
	}
}

// A message is too big once a header says so, before its payload comes.
func TestAssemblerAnnounces(t *testing.T) {
	for _, test := range []struct {
		have        int
		left, limit int64
		plain, skip bool
		fails       bool
	}{
		{have: 0, left: 10, limit: 10, plain: true},
		{have: 0, left: 11, limit: 10, plain: true, fails: true},
		{have: 4, left: 6, limit: 10, plain: true},
		{have: 4, left: 7, limit: 10, plain: true, fails: true},
		{have: 4, left: 1<<63 - 1, limit: 1<<63 - 1, plain: true, fails: true},
		{have: 4, left: 1<<63 - 1, limit: -1, plain: true},
		{have: 4, left: 7, limit: 10},
		{have: 4, left: 7, limit: 10, plain: true, skip: true},
		{have: 0, left: 0, limit: 0, plain: true},
		{have: 0, left: 1, limit: 0, plain: true, fails: true},
	} {
		a := assembler{n: test.have, skip: test.skip}
		err := a.announce(&frame{plain: test.plain, left: test.left}, test.limit)
		var breach *result.ProtocolError
		if errors.As(err, &breach) != test.fails || test.fails && breach.Code != result.StatusMessageTooBig {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

// A message that was handed is its receiver's; one that was lent is taken back, and
// nothing else is.
func TestAssemblerHandsAndRecalls(t *testing.T) {
	before := bufpool.Lent()
	var a assembler
	a.typ = Text
	a.add([]byte("handed"), -1)
	a.recall() // it is under way
	if a.lends() || a.own == nil {
		t.Fatal("a message under way was recalled")
	}
	handed := a.hand(a.message())
	a.recall()
	a.typ = Binary
	a.add([]byte("lent"), -1)
	if lent := a.message(); !a.lends() || lent.own != nil || lent.String() != "lent" {
		t.Errorf("the lent message is %+v", lent)
	}
	a.recall()
	if n := bufpool.Lent() - before; raceDetector && n != 1 || a != (assembler{}) {
		t.Errorf("%d buffers are lent, want the handed one; %+v is left", n, a)
	}
	if handed.Type != Text || handed.String() != "handed" {
		t.Errorf("the handed message is %v %q", handed.Type, handed)
	}
	handed.Release()
	a.typ = Binary
	a.add([]byte("half of a message"), -1)
	a.reset()
	a.reset()
	if n := bufpool.Lent() - before; n != 0 || a != (assembler{}) {
		t.Errorf("%d buffers are lent, %+v is left", n, a)
	}
}
