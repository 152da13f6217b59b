package dial

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/stream"
)

// frames are what a hasty server sends with its 101: "hi", then Close 1000.
const frames = "\x81\x02hi" + "\x88\x02\x03\xe8"

func TestBytesBehindTheAnswer(t *testing.T) {
	hasty := answers(func(r *http.Request) string { return agree(r) + frames })
	addr := listen(t, hasty)
	piped := func(context.Context, string, string) (net.Conn, error) { return timeless{pipeTo(t, hasty)}, nil }
	for name, tt := range map[string]struct {
		opts *Options
		raw  bool
	}{
		"socket":            {&Options{}, true},
		"pipe":              {&Options{DialContext: piped}, false},
		"own round tripper": {&Options{HTTPClient: &http.Client{Transport: wrapping{}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			tt.opts.Operators = none
			e := mustConnect(t, "ws://"+addr, tt.opts)
			got := make([]byte, len(frames))
			if _, err := io.ReadFull(io.MultiReader(bytes.NewReader(e.buffered), e.rwc), got); err != nil {
				t.Fatal(err)
			}
			want(t, "what came behind the answer", string(got), frames)
			_, raw := e.rwc.(*net.TCPConn)
			want(t, "a bare socket", raw, tt.raw)
		})
	}
}

// pipeTo runs the script at the other end of a pipe.
func pipeTo(t testing.TB, s script) net.Conn {
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s(theirs, bufio.NewReader(theirs))
	}()
	t.Cleanup(func() {
		ours.Close()
		theirs.Close()
		<-done
	})
	return ours
}

// timeless is a connection that only says that it knows deadlines.
type timeless struct{ net.Conn }

func (timeless) SetReadDeadline(time.Time) error { return nil }

// wrapping is a caller's own RoundTripper, such as one that traces: it hides
// the connection.
type wrapping struct{}

func (wrapping) RoundTrip(req *http.Request) (*http.Response, error) {
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req.Clone(context.Background()))
	if err == nil {
		if rwc, ok := resp.Body.(io.ReadWriteCloser); ok {
			resp.Body = struct{ io.ReadWriteCloser }{rwc}
		}
	}
	return resp, err
}

// An emptyHanded RoundTripper returns neither an answer nor an error.
type emptyHanded struct{}

func (emptyHanded) RoundTrip(*http.Request) (*http.Response, error) { return nil, nil }

func TestRoundTripperWithoutAnswer(t *testing.T) {
	_, err := connect(t, "ws://a.test", &Options{HTTPClient: &http.Client{Transport: emptyHanded{}}})
	wantContains(t, "the dial", err, "nil *Response")
}

func TestBareSocketReadsOn(t *testing.T) {
	next := make(chan struct{})
	addr := listen(t, func(c net.Conn, br *bufio.Reader) {
		req, _ := http.ReadRequest(br)
		io.WriteString(c, agree(req)+"first")
		<-next
		io.WriteString(c, "second")
		io.Copy(c, br)
	})
	e := mustConnect(t, "ws://"+addr, &Options{Operators: none})
	close(next)
	got := make([]byte, len("firstsecond"))
	if _, err := io.ReadFull(io.MultiReader(bytes.NewReader(e.buffered), e.rwc), got); err != nil {
		t.Fatalf("after %q: %v", got, err)
	}
	want(t, "what came", string(got), "firstsecond")
	io.WriteString(e.rwc, "echo")
	if _, err := io.ReadFull(e.rwc, got[:4]); err != nil || string(got[:4]) != "echo" {
		t.Fatalf("the echo is %q, %v", got[:4], err)
	}
}

func TestBrokenHandshake(t *testing.T) {
	change := func(f func(http.Header)) func(*http.Request) string {
		return func(r *http.Request) string { return agreement(r, f) }
	}
	set := func(key string, values ...string) func(*http.Request) string {
		return change(func(h http.Header) { h[http.CanonicalHeaderKey(key)] = values })
	}
	for name, tt := range map[string]struct {
		answer func(*http.Request) string
		status int
		says   string
	}{
		"wrong accept key": {set("Sec-WebSocket-Accept", "c3Vycm91bmRlZA=="), 101, "Sec-WebSocket-Accept"},
		"no accept key":    {set("Sec-WebSocket-Accept"), 101, "Sec-WebSocket-Accept"},
		"two accept keys": {change(func(h http.Header) {
			h["Sec-Websocket-Accept"] = append(h["Sec-Websocket-Accept"], "c3Vycm91bmRlZA==")
		}), 101, "2 Sec-WebSocket-Accept headers"},
		"no upgrade":                    {set("Upgrade"), 101, "Upgrade"},
		"other upgrade":                 {set("Upgrade", "h2c"), 101, "Upgrade"},
		"no connection":                 {set("Connection"), 101, "Connection"},
		"extension not offered":         {set("Sec-WebSocket-Extensions", "x-other"), 101, `"x-other", which was not offered`},
		"extension twice":               {set("Sec-WebSocket-Extensions", "x-test, x-test"), 101, `"x-test" in addition`},
		"extension twice, two headers":  {set("Sec-WebSocket-Extensions", "x-test", "x-test"), 101, `"x-test" in addition`},
		"extension that operator hates": {set("Sec-WebSocket-Extensions", "x-test; hated"), 101, "hated"},
		"extensions that do not parse":  {set("Sec-WebSocket-Extensions", "x-test; =1"), 101, "section 9.1"},
		"subprotocol not offered":       {set("Sec-WebSocket-Protocol", "smoke"), 101, `"smoke"`},
		"subprotocol in another case":   {set("Sec-WebSocket-Protocol", "CHAT"), 101, `"CHAT"`},
		"two subprotocols":              {set("Sec-WebSocket-Protocol", "chat", "chat"), 101, "2 Sec-WebSocket-Protocol headers"},
		"empty subprotocol":             {set("Sec-WebSocket-Protocol", ""), 101, `subprotocol ""`},
		"200": {func(*http.Request) string { return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" },
			200, "200 OK"},
		"401": {func(*http.Request) string { return "HTTP/1.1 401 Go away\r\nContent-Length: 0\r\n\r\n" },
			401, "401 Unauthorized"},
		"unknown status": {func(*http.Request) string { return "HTTP/1.1 799 What\r\nContent-Length: 0\r\n\r\n" },
			799, "799"},
		"redirect to nowhere": {func(*http.Request) string { return "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n" },
			302, "302 Found"},
		"no HTTP":      {func(*http.Request) string { return "SSH-2.0-OpenSSH_9.6\r\n" }, 0, "no HTTP"},
		"header of no": {func(*http.Request) string { return "HTTP/1.1 101 Yes\r\nnonsense\r\n\r\n" }, 101, "header is malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			addr := listen(t, answers(tt.answer))
			err := refusal(t, "ws://"+addr, &Options{
				Operators:    []stream.Operator{testExtension{offers: []string{"x-test"}}},
				Subprotocols: []string{"chat", "superchat"},
			})
			want(t, "status", err.StatusCode, tt.status)
			wantContains(t, "the handshake", err, tt.says)
			if strings.Contains(err.Error(), "failed to") {
				t.Errorf("the text is %q", err)
			}
		})
	}
}

// A 101 breaks the handshake in a header that the library never sees: the
// caller sees it.
func TestBrokenHandshakeShowsTheWholeHeader(t *testing.T) {
	addr := listen(t, answers(func(r *http.Request) string {
		return agreement(r, func(h http.Header) {
			h.Set("Sec-WebSocket-Extensions", "x-other")
			h.Del("Sec-WebSocket-Accept")
		})
	}))
	err := refusal(t, "ws://"+addr, &Options{Operators: none})
	want(t, "Sec-WebSocket-Extensions", err.Header.Get("Sec-WebSocket-Extensions"), "x-other")
}

func TestRefusalShowsTheAnswer(t *testing.T) {
	addr := listen(t, func(c net.Conn, br *bufio.Reader) {
		http.ReadRequest(br)
		io.WriteString(c, "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nSet-Cookie: id=hunter2\r\n\r\n")
		io.Copy(c, strings.NewReader(strings.Repeat("sorry ", 2000)))
	})
	err := refusal(t, "ws://"+addr, nil)
	want(t, "status", err.StatusCode, 503)
	want(t, "Retry-After", err.Header.Get("Retry-After"), "7")
	want(t, "Set-Cookie", err.Header.Get("Set-Cookie"), "")
	want(t, "length of the body", len(err.Body), 8192)
	want(t, "body", string(err.Body[:12]), "sorry sorry ")
	want(t, "text", err, "the server refused the opening handshake with 503 Service Unavailable")
}

func TestHandshakeSends(t *testing.T) {
	got := make(chan *http.Request, 1)
	addr := listen(t, answers(func(r *http.Request) string {
		got <- r
		return agreement(r, func(h http.Header) {
			h.Set("Sec-WebSocket-Protocol", "superchat")
			h.Set("Sec-WebSocket-Extensions", "x-test")
		})
	}))
	e := mustConnect(t, "WS://user:pass@"+addr+"/a%2Fb?q=1", &Options{
		Header:       http.Header{"X-List": {"b", "a"}, "X-Tab": {"a\tb"}, "Origin": {"https://example.com"}},
		Subprotocols: []string{"chat", "superchat"},
		Operators:    []stream.Operator{testExtension{offers: []string{"x-test; a", "x-test"}}, testExtension{offers: []string{"x-more"}}},
	})
	r := <-got
	for key, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-Websocket-Version": "13",
		"Sec-Websocket-Protocol": "chat,superchat", "Sec-Websocket-Extensions": "x-test; a, x-test, x-more",
		"X-List": "b a", "X-Tab": "a\tb", "Origin": "https://example.com", "Authorization": "Basic dXNlcjpwYXNz",
	} {
		want(t, key, strings.Join(r.Header[key], " "), value)
	}
	want(t, "method and target", r.Method+" "+r.RequestURI, "GET /a%2Fb?q=1")
	want(t, "Host", r.Host, addr)
	want(t, "subprotocol", e.subprotocol, "superchat")
	want(t, "operators", e.operators, "[{[] x-test}]")
}

// Keys have no case: any of them stands in the place of the userinfo.
func TestAuthorizationIsSentOnce(t *testing.T) {
	for _, key := range []string{"Authorization", "authorization", "AUTHORIZATION"} {
		s := &scripted{answer: good + "\r\n"}
		s.opens(t, "ws://user:hunter2@a.test/", &Options{Operators: none, Header: http.Header{key: {"Bearer a"}}})
		want(t, key, values(s.last().request, key), "[Bearer a]")
	}
}

func TestHostOption(t *testing.T) {
	got := make(chan string, 1)
	addr := listen(t, answers(func(r *http.Request) string {
		got <- r.Host
		return agree(r)
	}))
	mustConnect(t, "ws://"+addr, &Options{Host: "example.com:8080"})
	want(t, "Host", <-got, "example.com:8080")
}

// A context can end while the answer is on its way: the handshake is done, but
// nobody wants it, and the connection may be closed.
func TestContextEndsWithTheAnswer(t *testing.T) {
	gone := make(chan struct{}, 1)
	addr := listen(t, func(c net.Conn, br *bufio.Reader) {
		req, _ := http.ReadRequest(br)
		io.WriteString(c, agree(req))
		io.Copy(io.Discard, br)
		gone <- struct{}{}
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	d, err := newDialer("ws://"+addr, &Options{
		HTTPClient: &http.Client{Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
			resp, err := wrapping{}.RoundTrip(req)
			cancel(cause)
			return resp, err
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.connect(ctx)
	if !errors.Is(err, cause) || !errors.Is(err, context.Canceled) {
		t.Errorf("dial ended with %v, want %v and %v", err, context.Canceled, cause)
	}
	<-gone
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// The library's own connection must not stay behind: its finalizer sits on a
// cycle and never runs.
func TestNothingStaysInMemory(t *testing.T) {
	addr := listen(t, answers(agree))
	dialOnce := func() {
		d, err := newDialer("ws://"+addr, &Options{Operators: none})
		if err != nil {
			t.Fatal(err)
		}
		e, err := d.connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		e.rwc.Close()
	}
	const dials, perDial = 100, 4 << 10
	dialOnce()
	before := heap()
	for range dials {
		dialOnce()
	}
	if grown := heap() - before; grown > dials*perDial {
		t.Errorf("%d dials left %d bytes each", dials, grown/dials)
	}
}

func heap() int64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A caller's connection is handed on as it is: nothing hides what a stream looks
// for.
func TestCallersConnection(t *testing.T) {
	self := served(issue(t, "self", nil, forServer))
	var under net.Conn
	e := mustConnect(t, "wss://a.test", &Options{
		TLS: AllowSelfSigned | SkipHostnameCheck,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			under = timeless{pipeTo(t, func(c net.Conn, _ *bufio.Reader) {
				server := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{self}})
				answers(agree)(server, bufio.NewReader(server))
			})}
			return under, nil
		},
	})
	want(t, "what lies under TLS", e.rwc.(interface{ NetConn() net.Conn }).NetConn() == under, true)
	want(t, "CloseWrite over TLS", e.rwc.(interface{ CloseWrite() error }).CloseWrite(), nil)
}

// A peer that does not read makes tls.Conn.Close wait.
func TestCutDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		self := served(issue(t, "self", nil, forServer))
		halted := make(chan struct{})
		conn := pipeTo(t, func(c net.Conn, _ *bufio.Reader) {
			tls.Server(c, &tls.Config{Certificates: []tls.Certificate{self}, MaxVersion: tls.VersionTLS12}).Handshake()
			<-halted
		})
		client := tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
		if err := client.Handshake(); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		cut(client)
		want(t, "the time it took", time.Since(began), time.Duration(0))
		close(halted)
	})
}

// descriptors returns how many the process has open, or false where that
// cannot be told.
func descriptors() (int, bool) {
	d, err := os.ReadDir("/proc/self/fd")
	return len(d), err == nil
}
