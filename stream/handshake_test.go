package stream

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
)

// placed is a connection that knows no deadlines, but has addresses and speaks
// TLS.
type placed struct {
	io.ReadWriteCloser
	local, remote net.Addr
}

func (p placed) LocalAddr() net.Addr  { return p.local }
func (p placed) RemoteAddr() net.Addr { return p.remote }
func (p placed) ConnectionState() tls.ConnectionState {
	return tls.ConnectionState{ServerName: "a.test"}
}

func TestWhatTheTransportTells(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	local, remote := &net.TCPAddr{Port: 1}, &net.TCPAddr{Port: 2}
	header := http.Header{"Server": {"test"}}
	c, err := New(placed{struct{ io.ReadWriteCloser }{ours}, local, remote}, Client, &Options{Header: header})
	if err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		if c.LocalAddr() != local || c.RemoteAddr() != remote {
			t.Errorf("%s the addresses are %v and %v, want %v and %v", when, c.LocalAddr(), c.RemoteAddr(), local, remote)
		}
		if state, ok := c.TLS(); !ok || state.ServerName != "a.test" {
			t.Errorf("%s TLS returns the server %q and %v", when, state.ServerName, ok)
		}
		if got := c.Header().Get("server"); got != "test" {
			t.Errorf("%s the header has the server %q", when, got)
		}
	}
	check("while the connection is open")
	c.CloseNow(nil)
	<-c.Done()
	check("after its end")
}

func TestATransportThatTellsNothing(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	c, err := New(struct{ io.ReadWriteCloser }{ours}, Client, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow(nil)
	if c.LocalAddr() != nil || c.RemoteAddr() != nil || c.Header() != nil {
		t.Errorf("of nothing come %v, %v and %v", c.LocalAddr(), c.RemoteAddr(), c.Header())
	}
	if _, ok := c.TLS(); ok {
		t.Error("of no TLS comes a state")
	}
}
