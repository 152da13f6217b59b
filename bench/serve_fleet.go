package main

import (
	"encoding/binary"
	"math"
	"net"
	"sync"
	"time"
)

// fleets are the connections that begin to send together. The zero value is
// ready. Its methods may be called at the same time.
type fleets struct{ by sync.Map }

func (s *fleets) of(id uint64) *fleet {
	f, _ := s.by.LoadOrStore(id, &fleet{started: make(chan struct{})})
	return f.(*fleet)
}

// dismiss ends a fleet's connections.
func (s *fleets) dismiss(id uint64) {
	if f, ok := s.by.LoadAndDelete(id); ok {
		f.(*fleet).dismiss()
	}
}

// A fleet is the server's side of one.
type fleet struct {
	started chan struct{}
	began   time.Time // before started is closed

	mu      sync.Mutex
	members []net.Conn
}

// sendBuffer is what the kernel may keep for each member that is not received:
// see boundReceiveBuffers.
const sendBuffer = 128 << 10

// tcpUnder returns the TCP connection below a member; nil if there is none.
func tcpUnder(conn net.Conn) *net.TCPConn {
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secure.NetConn()
	}
	tcp, _ := conn.(*net.TCPConn)
	return tcp
}

// join adds a connection and returns how many were there before.
func (f *fleet) join(conn net.Conn) (number int) {
	if tcp := tcpUnder(conn); tcp != nil {
		tcp.SetWriteBuffer(sendBuffer)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.members = append(f.members, conn)
	return len(f.members) - 1
}

// start lets all members send. It is called once.
func (f *fleet) start() {
	f.began = time.Now()
	close(f.started)
}

// dismiss resets every connection: none is left to wait for its port to be free
// again.
func (f *fleet) dismiss() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, conn := range f.members {
		if tcp := tcpUnder(conn); tcp != nil {
			tcp.SetLinger(0)
			tcp.Close() // below TLS, which would wait for its turn to say so
			continue
		}
		conn.Close()
	}
}

// sail sends what a member is asked for until its connection ends.
func (f *fleet) sail(conn net.Conn, a ask, b batch, number int) {
	<-f.started
	if a.Every == 0 {
		blast(conn, b)
		return
	}
	frame := append([]byte(nil), b.first(1)...)
	head, _ := parseHeader(frame)
	for at := f.began.Add(phase(number, a.Every)); ; at = at.Add(a.Every) {
		<-time.After(time.Until(at))
		stamp(frame[head:], time.Now())
		if _, err := conn.Write(frame); err != nil {
			return
		}
	}
}

// phase spreads the members' first messages evenly over the time between two.
func phase(number int, every time.Duration) time.Duration {
	_, part := math.Modf(float64(number) * math.Phi)
	return time.Duration(part * float64(every))
}

// stamp writes the time into the first 8 bytes of a message.
func stamp(message []byte, now time.Time) {
	binary.BigEndian.PutUint64(message, uint64(now.UnixNano()))
}

// age is how long ago a message was stamped.
func age(message []byte, now time.Time) time.Duration {
	return time.Duration(now.UnixNano() - int64(binary.BigEndian.Uint64(message)))
}
