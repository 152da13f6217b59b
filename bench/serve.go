package main

import (
	"net"
	"sync"
)

// blast writes the batch until the connection ends.
func blast(conn net.Conn, b batch) {
	for {
		if _, err := conn.Write(b.frames); err != nil {
			return
		}
	}
}

// echo returns every message as it came, until the connection ends.
func echo(conn net.Conn) {
	in := make([]byte, 64<<10)
	var out []byte
	have := 0
	for {
		n, err := conn.Read(in[have:])
		if err != nil {
			return
		}
		have += n
		out = out[:0]
		used := 0
		for {
			head, payload := parseHeader(in[used:have])
			if head == 0 || have-used < head+payload {
				break
			}
			frame := in[used : used+head+payload]
			mask(frame[head:], frame[head-4:head])
			out = append(appendHeader(out, frame[0], payload), frame[head:]...)
			used += len(frame)
		}
		have = copy(in, in[used:have])
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

// keep holds a connection open and reads whatever comes. If it is to be used,
// some messages are sent first.
func (s *server) keep(conn net.Conn, a ask) {
	if a.Used > 0 {
		if _, err := conn.Write(s.batches.of(a).first(a.Used)); err != nil {
			return
		}
	}
	buf := make([]byte, 512) // there may be thousands
	for {
		if _, err := conn.Read(buf); err != nil {
			return
		}
	}
}

// A count is what a sink took, or what a batch has.
type count struct {
	Messages int // whole data messages
	Bytes    int // of data frames, headers and masking keys included
}

// each returns the bytes of a message on the wire.
func (c count) each() float64 { return float64(c.Bytes) / float64(c.Messages) }

// sinks are the connections that only take. The zero value is ready. Its
// methods may be called at the same time.
type sinks struct {
	mu sync.Mutex
	by map[uint64]*sink
}

type sink struct {
	count count
	done  chan struct{} // closed at the connection's end
}

func (s *sinks) find(id uint64) *sink {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil {
		s.by = make(map[uint64]*sink)
	}
	if s.by[id] == nil {
		s.by[id] = &sink{done: make(chan struct{})}
	}
	return s.by[id]
}

// open makes a sink. What it returns says that its connection has ended.
func (s *sinks) open(id uint64) (done func()) {
	k := s.find(id)
	return func() { close(k.done) }
}

// count waits for a sink's connection to end and returns what it took.
func (s *sinks) count(id uint64) count {
	k := s.find(id)
	<-k.done
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.by, id)
	return k.count
}

// run counts what comes until the client's Close frame, which it answers, or
// until the connection ends.
func (s *sinks) run(id uint64, conn net.Conn) {
	k := s.find(id)
	buf := make([]byte, batchBytes)
	have, skip := 0, 0 // bytes in buf; bytes of a payload that are still to come
	for {
		n, err := conn.Read(buf[have:])
		if err != nil {
			return
		}
		have += n
		used := min(skip, have)
		skip -= used
		for skip == 0 {
			head, payload := parseHeader(buf[used:have])
			if head == 0 {
				break
			}
			if buf[used]&0xf == opcodeClose {
				conn.Write([]byte{finalBit | opcodeClose, 0})
				return
			}
			k.take(buf[used], head+payload)
			used += head + payload
			if used > have {
				skip, used = used-have, have
			}
		}
		have = copy(buf, buf[used:have])
	}
}

// take counts one frame, by its first byte and its length.
func (k *sink) take(first byte, length int) {
	if first&0xf >= opcodeClose {
		return
	}
	k.count.Bytes += length
	if first&finalBit != 0 {
		k.count.Messages++
	}
}
