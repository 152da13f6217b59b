package stream_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// wantDelivered checks what the link says.
func wantDelivered(t *testing.T, when string, l *stream.Link, delivered, ping int64) {
	t.Helper()
	if d, p := l.Delivered(); d != delivered || p != ping {
		t.Errorf("%s: %d bytes were delivered, %d before the Ping; want %d and %d", when, d, p, delivered, ping)
	}
}

// TestDeliveredToATransport is what is told where nothing is known of the peer.
func TestDeliveredToATransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hand{}
		p := script.Client(t, &stream.Options{Operators: []stream.Operator{h}})
		wantDelivered(t, "at first", h.link, 0, -1)
		p.Conn.SendBinary(ctx, filler(100))
		synctest.Wait()
		wantDelivered(t, "after a message", h.link, 106, -1)
		h.link.Control(stream.Pong, nil)
		synctest.Wait()
		wantDelivered(t, "after a Pong", h.link, 112, -1)
		h.link.Control(stream.Ping, []byte("one"))
		synctest.Wait()
		wantDelivered(t, "after a Ping", h.link, 121, 112)

		p.StopsReading()
		go p.Conn.SendBinary(ctx, filler(100)) // until it is read
		synctest.Wait()
		h.link.Control(stream.Ping, []byte("two"))
		synctest.Wait()
		wantDelivered(t, "while a Ping waits", h.link, 121, -1)
		p.ReadsOn()
		synctest.Wait()
		wantDelivered(t, "after it was written", h.link, 121+106+9, 121+106)
	})
}

// counts are the bytes that were read from a connection.
type counts struct {
	net.Conn
	n int64
}

func (c *counts) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.n += int64(n)
	return n, err
}

// TestDelivered compares what the link says with what the peer has read of a TCP
// connection, plain and under TLS.
func TestDelivered(t *testing.T) {
	for _, c := range []struct {
		name         string
		ours, theirs func(net.Conn) net.Conn
	}{
		{"plain", func(c net.Conn) net.Conn { return c }, func(c net.Conn) net.Conn { return c }},
		{"TLS",
			func(c net.Conn) net.Conn { return tls.Client(c, &tls.Config{InsecureSkipVerify: true}) },
			func(c net.Conn) net.Conn {
				s := httptest.NewTLSServer(nil)
				defer s.Close()
				secure := tls.Server(c, &tls.Config{Certificates: s.TLS.Certificates})
				go secure.Handshake() // ends with the client's
				return secure
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			near, far := sockets(t)
			raw := &counts{Conn: far}
			theirs := c.theirs(raw)
			h := &hand{}
			conn, err := stream.New(c.ours(near), stream.Client, &stream.Options{Operators: []stream.Operator{h}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.CloseNow(nil) })
			messages := conn.Chan(ctx, nil).C
			for n := range int64(3) {
				conn.SendBinary(ctx, filler(10_000))
				if _, err := io.ReadFull(theirs, make([]byte, 10_008)); err != nil {
					t.Fatal(err)
				}
				before := raw.n
				h.link.Control(stream.Ping, []byte("ping"))
				if _, err := io.ReadFull(theirs, make([]byte, 10)); err != nil {
					t.Fatal(err)
				}
				theirs.Write(script.Text("seen").Bytes(false))
				<-messages      // what acknowledges the Ping came before it
				conn.Flush(ctx) // the write is over, too
				delivered, ping := h.link.Delivered()
				told := runtime.GOOS == "linux" && runtime.GOARCH != "386"
				if !told { // what TLS adds is not seen
					before = (n+1)*10_008 + n*10
					raw.n = before + 10
				}
				// A kernel may count the SYN.
				if ping != before && ping != before+1 {
					t.Errorf("%d bytes before the Ping, the peer has read %d", ping, before)
				}
				if !told && delivered == before { // the write has not returned yet
					delivered = raw.n
				}
				if delivered != raw.n && delivered != raw.n+1 {
					t.Errorf("%d bytes were delivered, the peer has read %d", delivered, raw.n)
				}
			}
		})
	}
}

// TestDeliveredBehindData has a Ping that waits for a message to be written.
func TestDeliveredBehindData(t *testing.T) {
	near, far := sockets(t)
	near.(*net.TCPConn).SetWriteBuffer(256 << 10)
	far.(*net.TCPConn).SetReadBuffer(256 << 10)
	h := &hand{}
	conn, err := stream.New(near, stream.Client, &stream.Options{Operators: []stream.Operator{h}, FragmentSize: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow(nil) })
	messages := conn.Chan(ctx, nil).C
	const size = 4 << 20
	conn.SendBinary(ctx, filler(size))
	h.link.Control(stream.Ping, nil)
	delivered, ping := h.link.Delivered()
	if ping >= 0 || delivered >= size {
		t.Fatalf("at first: %d bytes were delivered, %d before the Ping, which nobody has read", delivered, ping)
	}
	if _, err := io.CopyN(io.Discard, far, size/2); err != nil {
		t.Fatal(err)
	}
	// Where the system tells nothing, a write counts when all of it was taken.
	tells := runtime.GOOS == "linux" && runtime.GOARCH != "386"
	half, ping := h.link.Delivered()
	if half < delivered || tells && half == delivered || ping >= 0 {
		t.Errorf("half: %d bytes were delivered after %d, %d before the Ping", half, delivered, ping)
	}
	rest := size/2 + 14 + 6
	if _, err := io.CopyN(io.Discard, far, int64(rest)); err != nil {
		t.Fatal(err)
	}
	far.Write(script.Text("seen").Bytes(false))
	<-messages
	// What is acknowledged between two questions to the system may be missing before
	// the Ping, but never is there too much.
	if all, ping := h.link.Delivered(); ping < size/2 || ping > size+15 || all < size+14+6 {
		t.Errorf("at last: %d bytes were delivered, %d before the Ping", all, ping)
	}
}
