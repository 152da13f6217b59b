package faults

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A Server sends messages to whoever connects, one client at a time: binary ones that
// begin with their number in decimal, from 1. Its fields are set before it is used.
type Server struct {
	// Last is the number of the last message; the server closes with 1000 behind it.
	// With 0 it sends none and waits for what comes.
	Last uint64
	// Size is how many bytes a message has at least.
	Size int
	// Resume makes the server wait for a text message with a number, and go on behind
	// that. Otherwise it goes on behind what it sent last, cut or not, and skips Skip
	// numbers on the way.
	Resume bool
	Skip   uint64
	// Cut says of each connection, from 1, after how many messages it ends and how:
	// messages that it sends, or if Last is 0, that it gets. Nil cuts none.
	Cut func(conn int) (after int, how Kind)
	// Rate says how many bytes a second the link of each connection, from 1, carries
	// to the client; 0, and nil, is a link without a bound.
	Rate func(conn int) int

	running sync.WaitGroup

	mu      sync.Mutex
	conns   int               // how many there have been
	dials   int               // the refused ones too
	refuse  bool              // the next handshake
	sent    uint64            // the last number that was sent
	got     []*[]string       // binary messages that came, by connection
	present map[net.Conn]bool // the connections there are
}

// ErrRefused is how a dial over memory is refused.
var ErrRefused = errors.New("the server answers with 503")

// Dial connects over memory. The options are the defaults.
func (s *Server) Dial(context.Context) (*stream.Conn, error) {
	if s.refuses() {
		return nil, &result.ConnectionFailed{Err: ErrRefused}
	}
	near, far := Link()
	s.running.Go(func() { s.serve(far, far, "") }) // ends with the connection
	return stream.New(near, stream.Client, nil)
}

// Dials returns how many dials there were; refused tells whether the next would be.
func (s *Server) Dials() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials
}

// Conns returns how many connections there have been.
func (s *Server) Conns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

// Got returns the binary messages that came, those of each connection behind those of
// the one before it.
func (s *Server) Got() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range s.got {
		all = append(all, *of...)
	}
	return all
}

// Close ends all connections and waits until none is left.
func (s *Server) Close() {
	s.mu.Lock()
	for c := range s.present {
		c.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// refuses counts a dial, and reports whether it is to be refused.
func (s *Server) refuses() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dials++
	refused := s.refuse
	s.refuse = false
	return refused
}

// begin counts a connection, and says how it is to end.
func (s *Server) begin(v *visit) (after int, how Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.present == nil {
		s.present = map[net.Conn]bool{}
	}
	s.present[v.c] = true
	s.got = append(s.got, &v.got)
	s.conns++
	if s.Cut != nil {
		after, how = s.Cut(s.conns)
	}
	if s.Rate != nil {
		v.rate = s.Rate(s.conns)
	}
	s.refuse = how == Refuse
	return after, how
}

func (s *Server) end(c net.Conn) {
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.present, c)
}

// serve runs a connection; r reads what c does. The answer to the handshake, if there
// is one, goes out when the connection is counted.
func (s *Server) serve(c net.Conn, r io.Reader, answer string) {
	v := &visit{s: s, c: c, r: bufio.NewReader(r), gone: make(chan struct{})}
	after, how := s.begin(v)
	defer s.end(c)
	if answer != "" { // an empty write to a pipe waits
		io.WriteString(c, answer)
	}
	if s.Resume {
		n, err := v.cursor()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.sent = n
		s.mu.Unlock()
	}
	if s.Last == 0 {
		if v.read(after) {
			v.cut(how)
		}
		return
	}
	var reading sync.WaitGroup
	reading.Go(func() { v.read(0) }) // ends with c
	defer reading.Wait()
	defer c.Close()
	if how == None {
		after = math.MaxInt
	}
	if v.send(after) {
		v.cut(how)
	}
}

// take returns up to n numbers to be sent, as from and behind.
func (s *Server) take(n int) (from, behind uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from = s.sent + 1
	behind = min(from+uint64(n), s.Last+1)
	s.sent = behind - 1
	return from, behind
}

// A visit is one connection.
type visit struct {
	s    *Server
	c    net.Conn
	r    *bufio.Reader
	rate int           // bytes a second that go out; 0: any number
	gone chan struct{} // closed when the client has gone
	got  []string      // guarded by s.mu

	mu sync.Mutex // holds writes apart
}

// write writes all of p, as fast as the link is.
func (v *visit) write(p []byte) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for len(p) > 0 {
		n := len(p)
		if v.rate > 0 {
			n = min(n, max(1, v.rate/ticks))
			select {
			case <-time.After(time.Duration(n) * time.Second / time.Duration(v.rate)):
			case <-v.gone:
				return false
			}
		}
		if _, err := v.c.Write(p[:n]); err != nil {
			return false
		}
		p = p[n:]
	}
	return true
}

// ticks is how often a second a slow link carries something.
const ticks = 100

// cursor waits for the number to go on behind.
func (v *visit) cursor() (uint64, error) {
	for {
		f, err := script.ReadFrame(v.r)
		if err != nil {
			return 0, err
		}
		if f.Opcode == script.OpText {
			return strconv.ParseUint(string(f.Payload), 10, 64)
		}
	}
}

// read takes what comes, until the client has gone or, if n is not 0, has sent so many
// messages. It reports the latter.
func (v *visit) read(n int) bool {
	for {
		f, err := script.ReadFrame(v.r)
		switch {
		case err != nil:
			close(v.gone)
			return false
		case f.Opcode == script.OpClose:
			v.write(script.Of(script.OpClose, f.Payload[:min(2, len(f.Payload))]).Bytes(false))
			close(v.gone)
			v.c.Close()
			return false
		case f.Opcode == script.OpPing:
			v.write(script.Pong(f.Payload).Bytes(false))
		case f.Opcode == script.OpBinary:
			v.s.mu.Lock()
			v.got = append(v.got, string(f.Payload))
			v.s.mu.Unlock()
			if n--; n == 0 {
				return true
			}
		}
	}
}

// gathered is how many messages are written at a time.
const gathered = 64

// send sends n messages, or those up to the last, behind which it closes. It reports
// whether the client is still there, and there are more.
func (v *visit) send(n int) bool {
	for n > 0 {
		from, behind := v.s.take(min(n, gathered))
		if from == behind {
			v.write(script.Close(1000, "all sent").Bytes(false))
			<-v.gone
			return false
		}
		var b []byte
		for ; from < behind; from, n = from+1, n-1 {
			b = append(b, script.Binary(v.s.message(from)).Bytes(false)...)
		}
		if !v.write(b) {
			return false
		}
	}
	return true
}

// message returns the message with a number, of at least Size bytes.
func (s *Server) message(n uint64) []byte {
	m := fmt.Appendf(nil, "%d ", n)
	if len(m) < s.Size {
		m = append(m, bytes.Repeat([]byte{'.'}, s.Size-len(m))...)
	}
	return m
}

// cut ends the connection.
func (v *visit) cut(how Kind) {
	s := v.s
	s.mu.Lock()
	s.sent += s.Skip
	s.mu.Unlock()
	switch how {
	case Reset:
		reset(v.c)
	case MidFrame:
		v.write(script.Binary(s.message(s.sent + 1)).First(3).Bytes(false))
	case Silence:
		if s.Last == 0 {
			v.read(0)
		}
		<-v.gone
	case GoingAway, Restart:
		code := map[Kind]int{GoingAway: 1001, Restart: 1012}[how]
		v.write(script.Close(code, "").Bytes(false))
		if s.Last == 0 {
			v.read(0)
		}
		<-v.gone
	case HalfClose:
		v.write(script.Close(1001, "").First(3).Bytes(false))
	}
}

// Number returns the number of a message.
func Number(m []byte) (uint64, error) {
	digits, _, _ := bytes.Cut(m, []byte(" "))
	return strconv.ParseUint(string(digits), 10, 64)
}
