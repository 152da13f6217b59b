package stream_test

import (
	"bytes"
	"io"
	"net"
	"testing"

	"github.com/wsflow/wsflow/stream"
)

// What a server sent before its Close frame, and that frame, reach a client that
// reads late and says something behind its own Close: TCP ends in good order and
// not with a reset.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.1.1
func TestServerEndsTCPInGoodOrder(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	peer, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	peer.(*net.TCPConn).SetReadBuffer(64 << 10)
	ours, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	ours.(*net.TCPConn).SetWriteBuffer(1 << 20)
	c, err := stream.New(ours, stream.Server, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow(nil)
	app := takeAll(c)
	data := bytes.Repeat([]byte("x"), 60000)
	for range 8 {
		if err := c.SendBinary(ctx, data); err != nil {
			t.Fatal(err)
		}
	}
	ping := []byte{0x89, 0x80, 0, 0, 0, 0}
	peer.Write([]byte{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8}) // Close 1000
	within(t, "the terminal event", c.Done())
	app.ends(t, nil)
	for range 10 {
		if _, err := peer.Write(ping); err != nil {
			t.Fatal(err)
		}
	}
	got, err := io.ReadAll(peer)
	if want := 8*(4+len(data)) + 4; err != nil || len(got) != want {
		t.Fatalf("the client read %d bytes, then %v; want %d bytes and the end", len(got), err, want)
	}
	if last := got[len(got)-4:]; !bytes.Equal(last, []byte{0x88, 0x02, 0x03, 0xE8}) {
		t.Errorf("the last bytes are %x, want the Close frame", last)
	}
}
