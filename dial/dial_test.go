package dial

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/wsflow/wsflow/deflate"
	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// echoes is a WebSocket server that is not this module's: it sends back what
// comes. The URL has the scheme http or https.
func echoes(t testing.TB, secure bool) *httptest.Server {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{
			Subprotocols:    []string{"echo"},
			CompressionMode: websocket.CompressionContextTakeover,
		})
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(-1)
		for {
			kind, data, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, data) != nil {
				return
			}
		}
	}))
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func TestDial(t *testing.T) {
	for name, secure := range map[string]bool{"ws": false, "wss": true} {
		t.Run(name, func(t *testing.T) {
			server := echoes(t, secure)
			opts := &Options{Subprotocols: []string{"other", "echo"}}
			if secure {
				roots := x509.NewCertPool()
				roots.AddCert(server.Certificate())
				opts.TLSConfig = &tls.Config{RootCAs: roots}
			}
			conn, err := Dial(t.Context(), strings.Replace(server.URL, "http", "ws", 1), opts)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.CloseNow(nil)
			want(t, "subprotocol", conn.Subprotocol(), "echo")
			if _, ok := deflate.Of(conn); !ok {
				t.Error("deflate, a default, was not negotiated")
			}
			if _, ok := heartbeat.Of(conn); !ok {
				t.Error("heartbeat, a default, is not attached")
			}
			sent := []string{"hello", "", strings.Repeat("compress me ", 100_000)}
			for _, text := range sent {
				if err := conn.SendText(t.Context(), text); err != nil {
					t.Fatal(err)
				}
			}
			closeAfter(t, conn, sent)
			status, err := conn.Result().Wait(t.Context())
			if err != nil || status.Code != result.StatusNormalClosure {
				t.Errorf("the connection ended with %v, %v", status, err)
			}
		})
	}
}

// closeAfter takes these texts and closes, then wants no more.
func closeAfter(t *testing.T, conn *stream.Conn, texts []string) {
	t.Helper()
	got := 0
	for m, err := range conn.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if got == len(texts) || string(m.Data) != texts[got] {
			t.Fatalf("message %d has %d bytes", got, len(m.Data))
		}
		if got++; got == len(texts) {
			conn.Close(result.StatusNormalClosure, "")
		}
	}
	want(t, "messages that came", got, len(texts))
}

// The 101, the first frames and the Close come in one TCP segment, and nothing
// after them.
func TestFramesInTheSegmentOfTheAnswer(t *testing.T) {
	hasty := answers(func(r *http.Request) string { return agree(r) + frames })
	pipe := func(context.Context, string, string) (net.Conn, error) { return timeless{pipeTo(t, hasty)}, nil }
	for name, opts := range map[string]*Options{
		"socket":            {},
		"other connection":  {DialContext: pipe},
		"own round tripper": {HTTPClient: &http.Client{Transport: wrapping{}}},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := Dial(t.Context(), "ws://"+listen(t, hasty), opts)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for m, err := range conn.All(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, string(m.Data))
			}
			want(t, "the messages", got, "[hi]")
			status, _ := conn.Result().Status()
			want(t, "the status", status, result.Status{Code: 1000})
			conn.CloseNow(nil)
		})
	}
}

func TestDialTellsArgumentsFromFailures(t *testing.T) {
	_, err := Dial(t.Context(), "ws://127.0.0.1:1", nil)
	if !errors.As(err, new(*result.ConnectionFailed)) || !errors.As(err, new(*net.OpError)) {
		t.Errorf("a dial to nobody ended with %v, want a *result.ConnectionFailed around a *net.OpError", err)
	}
	_, err = Dial(t.Context(), "ws://127.0.0.1:1", &Options{Host: "/"})
	if _, ok := err.(*result.ArgumentError); !ok {
		t.Errorf("a bad argument gave %v, want a *result.ArgumentError", err)
	}
}

// An unattached operator fails on each connection.
type unattached struct{}

var errUnattached = errors.New("not today")

func (unattached) Attach(*stream.Link) (stream.Hooks, error) { return stream.Hooks{}, errUnattached }

func TestOperatorThatDoesNotAttach(t *testing.T) {
	gone := make(chan struct{})
	addr := listen(t, func(c net.Conn, br *bufio.Reader) {
		req, _ := http.ReadRequest(br)
		io.WriteString(c, agree(req))
		io.Copy(io.Discard, br)
		close(gone)
	})
	conn, err := Dial(t.Context(), "ws://"+addr, &Options{Operators: []stream.Operator{unattached{}}})
	if conn != nil || err != errUnattached {
		t.Errorf("Dial gave %v, %v, want %v", conn, err, errUnattached)
	}
	<-gone
}

func TestDefaultOperators(t *testing.T) {
	for name, tt := range map[string]struct {
		operators []stream.Operator
		deflates  bool
	}{
		"nil":   {nil, true},
		"empty": {none, false},
	} {
		offered := make(chan string, 1)
		addr := listen(t, answers(func(r *http.Request) string {
			offered <- r.Header.Get("Sec-WebSocket-Extensions")
			return agree(r)
		}))
		conn, err := Dial(t.Context(), "ws://"+addr, &Options{Operators: tt.operators})
		if err != nil {
			t.Fatal(err)
		}
		want(t, name+": deflate is offered", strings.Contains(<-offered, "permessage-deflate"), tt.deflates)
		_, beats := heartbeat.Of(conn)
		want(t, name+": the heart beats", beats, tt.deflates)
		conn.CloseNow(nil)
	}
}

func TestStreamOptionsAreHandedOn(t *testing.T) {
	d, err := newDialer("ws://example.com", &Options{
		SizeLimit: 1, SuccessCodes: []result.StatusCode{4000}, CloseTimeout: 2, LookAhead: 3, FragmentSize: 4,
		Post: func(f func()) { f() },
	})
	if err != nil {
		t.Fatal(err)
	}
	o := d.streamOptions(established{subprotocol: "a", buffered: []byte("b"), operators: none})
	want(t, "the numbers", []any{o.SizeLimit, o.SuccessCodes, o.CloseTimeout, o.LookAhead, o.FragmentSize}, []any{1, []int{4000}, "2ns", 3, 4})
	want(t, "the rest", []any{o.Subprotocol, string(o.Buffered), o.Operators != nil, o.Logger, o.Post != nil}, []any{"a", "b", true, "<nil>", true})
}

func TestTableListsEveryOption(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for i := range reflect.TypeFor[Options]().NumField() {
		if field := reflect.TypeFor[Options]().Field(i).Name; !strings.Contains(string(doc), "\n//\t"+field+"  ") {
			t.Errorf("the package comment's table has no line for %s", field)
		}
	}
}

func TestLoggerNamesTheHost(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	d, err := newDialer("ws://user:hunter2@example.com/hunter2?hunter2", &Options{Logger: zap.New(core)})
	if err != nil {
		t.Fatal(err)
	}
	d.streamOptions(established{}).Logger.Warn("test")
	want(t, "the fields", logs.All()[0].ContextMap(), "map[host:example.com]")
}

// What the handshake gave is on the connection: the header of the last answer,
// the addresses and the state of TLS.
func TestWhatTheHandshakeGave(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			w.Header().Set("X-Session", "of the redirect")
			http.Redirect(w, r, "/there", http.StatusFound)
			return
		}
		w.Header().Set("X-Session", "of the 101")
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover})
		if err == nil {
			<-c.CloseRead(context.Background()).Done()
		}
	}))
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	conn, err := Dial(t.Context(), server.URL, &Options{TLSConfig: &tls.Config{RootCAs: roots}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow(nil)
	want(t, "header", conn.Header().Get("X-Session"), "of the 101")
	want(t, "extension is told", strings.HasPrefix(conn.Header().Get("Sec-WebSocket-Extensions"), "permessage-deflate"), true)
	want(t, "remote address", conn.RemoteAddr().String(), server.Listener.Addr().String())
	want(t, "network", conn.LocalAddr().Network(), "tcp")
	state, ok := conn.TLS()
	if !ok || !state.HandshakeComplete || !state.PeerCertificates[0].Equal(server.Certificate()) {
		t.Errorf("TLS returns %v and not the server's certificate", ok)
	}
}
