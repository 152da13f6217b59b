package dial

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes returns a dial function whose connections are pipes to a script, and
// what the caller makes of them.
func pipes(t testing.TB, s script, wrap ...func(net.Conn) net.Conn) dialFunc {
	return func(context.Context, string, string) (net.Conn, error) {
		c := pipeTo(t, s)
		for _, w := range wrap {
			c = w(c)
		}
		return c, nil
	}
}

// Servers that know a name in the RFC's spelling alone exist.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
func TestSpellingOfNames(t *testing.T) {
	s := &scripted{first: redirect("ws://b.test"), answer: good + "\r\n"}
	s.opens(t, "ws://a.test/", &Options{
		Operators:    append(none, testExtension{offers: []string{"x"}}),
		Subprotocols: []string{"chat"},
		Header:       http.Header{"x-MINE": {"a"}},
	})
	for _, v := range s.visits {
		for _, name := range []string{"Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol", "Connection", "Upgrade", "Host", "x-MINE"} {
			if n := strings.Count(v.request, "\r\n"+name+": "); n != 1 {
				t.Errorf("%s stands %d times in %q", name, n, v.request)
			}
		}
	}
}

// All that is wanted of a redirect is in its header.
func TestRedirectIsFollowedByItsHeader(t *testing.T) {
	for name, behind := range map[string]string{
		"nothing":                  "\r\n",
		"a length, nothing":        "Content-Length: 100\r\n\r\n",
		"a length, and a part":     "Content-Length: 100\r\n\r\nsorry",
		"chunks, nothing":          "Transfer-Encoding: chunked\r\n\r\n",
		"chunks, and one":          "Transfer-Encoding: chunked\r\n\r\n5\r\nsorry\r\n",
		"a length of 2^62":         "Content-Length: 4611686018427387904\r\n\r\n" + strings.Repeat("sorry", 10_000),
		"two lengths":              "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"a transfer coding, silly": "Transfer-Encoding: identity\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				s := &scripted{first: "HTTP/1.1 302 Found\r\nLocation: ws://b.test/\r\n" + behind, answer: good + "\r\n"}
				s.opens(t, "ws://a.test/", nil)
				want(t, "the time it took", time.Since(began), time.Duration(0))
				<-s.visits[0].gone
			})
		})
	}
}

// The body of a redirect that is not followed is told.
func TestRedirectThatIsNotFollowed(t *testing.T) {
	for _, lines := range []string{"", "Location: /there\r\n"} {
		s := &scripted{answer: "HTTP/1.1 302 Found\r\n" + lines + "Content-Length: 5\r\n\r\nsorry"}
		err := s.fails(t, "ws://a.test/", &Options{HTTPClient: &http.Client{
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}})
		want(t, "the body", string(err.Body), "sorry")
	}
}

// "A client MUST ignore any Content-Length or Transfer-Encoding header fields
// received in a successful response to CONNECT."
//
// https://www.rfc-editor.org/rfc/rfc9110.html#section-9.3.6
func TestOddlyFramedTunnel(t *testing.T) {
	for _, lines := range append(oddly, "Transfer-Encoding: chunked\r\n", "Content-Length: 5\r\n", "Connection: close\r\n") {
		proxy := listen(t, func(c net.Conn, br *bufio.Reader) {
			http.ReadRequest(br)
			io.WriteString(c, "HTTP/1.1 200 OK\r\n"+lines+"\r\n")
			answers(agree)(c, br)
		})
		if _, err := connect(t, "ws://a.test", &Options{Proxy: fixed("http", proxy)}); err != nil {
			t.Errorf("%q: %v", lines, err)
		}
	}
	for _, lines := range oddly {
		proxy := listen(t, func(c net.Conn, br *bufio.Reader) {
			http.ReadRequest(br)
			io.WriteString(c, "HTTP/1.1 407 No\r\nRetry-After: 7\r\n"+lines+"\r\n")
		})
		err := refusal(t, "ws://a.test", &Options{Proxy: fixed("http", proxy)})
		want(t, lines+"the status", err.StatusCode, 407)
		want(t, lines+"Retry-After", err.RetryAfter(), 7*time.Second)
		want(t, lines+"told by the proxy", err.Proxy, true)
	}
}

func TestProxySwitchesProtocols(t *testing.T) {
	proxy := listen(t, answers(agree))
	err := refusal(t, "ws://a.test", &Options{Proxy: fixed("http", proxy)})
	want(t, "told by the proxy", err.Proxy, true)
	want(t, "the status", err.StatusCode, 101)
	want(t, "the text", err, "the proxy broke the opening handshake: it switched protocols, where it was asked for a tunnel")
	want(t, "the text without a cause", &HandshakeError{StatusCode: 101, Proxy: true}, "the proxy refused the opening handshake with 101 Switching Protocols")
}

// https://www.rfc-editor.org/rfc/rfc6874.html#section-4
func TestZoneStaysHere(t *testing.T) {
	self := issue(t, "self", nil, func(c *x509.Certificate) {
		forServer(c)
		c.IPAddresses = []net.IP{net.IPv6loopback}
	})
	roots := x509.NewCertPool()
	roots.AddCert(self.cert)
	var mu sync.Mutex
	var seen []string
	see := func(what string) { mu.Lock(); defer mu.Unlock(); seen = append(seen, what) }
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		see("SNI " + hello.ServerName)
		cert := served(self)
		return &cert, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, l, answers(func(r *http.Request) string {
		see("Host " + r.Host)
		return agree(r)
	}))
	asked := make(chan *http.Request, 1)
	proxy := listen(t, proxying(asked))
	_, port, _ := net.SplitHostPort(l.Addr().String())
	dialed := ""
	direct := func(ctx context.Context, network, addr string) (net.Conn, error) {
		dialed = addr
		return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
	}
	for name, opts := range map[string]Options{
		"all is verified":  {TLSConfig: &tls.Config{RootCAs: roots}},
		"one is forgiven":  {TLS: AllowSelfSigned},
		"through a tunnel": {TLSConfig: &tls.Config{RootCAs: roots}, Proxy: fixed("http", proxy)},
	} {
		seen = nil
		if opts.Proxy == nil {
			opts.DialContext = direct
		}
		mustConnect(t, "wss://[::1%25lo]:"+port, &opts)
		want(t, name+": what the server saw", seen, []string{"SNI ", "Host [::1]:" + port})
		if opts.Proxy == nil {
			want(t, name+": what was dialed", dialed, "[::1%lo]:"+port)
		} else {
			want(t, name+": what was asked for", (<-asked).RequestURI, "[::1]:"+port)
		}
	}
}

func TestHosts(t *testing.T) {
	for raw, w := range map[string]struct{ addr, certified, remote string }{
		"http://a.test":                {"a.test:80", "a.test", "a.test:80"},
		"https://a.test.:8443":         {"a.test.:8443", "a.test.", "a.test.:8443"},
		"socks5://a.test":              {"a.test:1080", "a.test", "a.test:1080"},
		"socks5h://a.test":             {"a.test:1080", "a.test", "a.test:1080"},
		"http://[::1]:81":              {"[::1]:81", "::1", "[::1]:81"},
		"https://[fe80::1%25eth0]":     {"[fe80::1%eth0]:443", "fe80::1", "[fe80::1]:443"},
		"https://[fe80::1%25a%25b]:81": {"[fe80::1%a%b]:81", "fe80::1", "[fe80::1]:81"},
		"http://b\u00fccher.test":      {"xn--bcher-kva.test:80", "xn--bcher-kva.test", "xn--bcher-kva.test:80"},
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		h, err := hostOf(u)
		if err != nil {
			t.Fatal(err)
		}
		want(t, raw, []string{h.addr(), h.certified(), h.remote()}, []string{w.addr, w.certified, w.remote})
	}
}

// A name in another script goes out in ASCII, to the resolver as to the server.
func TestNameInAnotherScript(t *testing.T) {
	s := &scripted{answer: good + "\r\n"}
	s.opens(t, "ws://b\u00fccher.test/", nil)
	want(t, "what was dialed", s.last().address, "xn--bcher-kva.test:80")
	want(t, "Host", one(s.last().request, "Host"), "xn--bcher-kva.test")
}

// A deadline that a caller's dial function left was meant for the handshake.
func TestDeadlineOfTheDialFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		echo := func(c net.Conn, br *bufio.Reader) {
			req, _ := http.ReadRequest(br)
			io.WriteString(c, agree(req))
			io.Copy(c, br)
		}
		e := mustConnect(t, "ws://a.test", &Options{DialContext: pipes(t, echo, func(c net.Conn) net.Conn {
			c.SetDeadline(time.Now().Add(time.Second))
			return c
		})})
		time.Sleep(time.Hour)
		got := make([]byte, 4)
		if _, err := io.WriteString(e.rwc, "ping"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(e.rwc, got); err != nil || string(got) != "ping" {
			t.Errorf("an hour later came %q, %v", got, err)
		}
		e.rwc.Close()

		_, err := connect(t, "ws://a.test", &Options{DialContext: pipes(t, silence, func(c net.Conn) net.Conn {
			c.SetDeadline(time.Now().Add(time.Second))
			return c
		})})
		var network net.Error
		if !errors.As(err, &network) || !network.Timeout() {
			t.Errorf("a handshake past the deadline ended with %v, want a timeout", err)
		}
	})
}

// The context is the dial's alone, also when it ends in the instant of success:
// either the dial fails, or the connection is whole.
func TestContextDoesNotOutlastTheDial(t *testing.T) {
	addr := listen(t, func(c net.Conn, br *bufio.Reader) {
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		io.WriteString(c, agree(req))
		io.Copy(c, br)
	})
	opened := 0
	for i := range 400 {
		ctx, cancel := context.WithCancel(t.Context())
		d, err := newDialer("ws://"+addr, nil)
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			time.AfterFunc(time.Duration(i)*time.Microsecond, cancel)
		}
		e, err := d.connect(ctx)
		cancel()
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("a dial ended with %v, want %v", err, context.Canceled)
			}
			continue
		}
		opened++
		got := make([]byte, 4)
		if _, err := io.WriteString(e.rwc, "ping"); err != nil {
			t.Errorf("a connection was made that cannot be written: %v", err)
		} else if _, err := io.ReadFull(e.rwc, got); err != nil {
			t.Errorf("a connection was made that cannot be read: %v", err)
		}
		e.rwc.Close()
	}
	if opened == 0 {
		t.Error("no connection was made")
	}
}

// A dial function may not mind its context. It is left behind, and so is what it
// brings.
func TestDialFunctionThatDoesNotReturn(t *testing.T) {
	transport := func(set func(*http.Transport, dialFunc)) func(dialFunc) *Options {
		return func(dial dialFunc) *Options {
			tr := &http.Transport{}
			set(tr, dial)
			return &Options{HTTPClient: &http.Client{Transport: tr}}
		}
	}
	for name, with := range map[string]func(dialFunc) *Options{
		"Options.DialContext":      func(dial dialFunc) *Options { return &Options{DialContext: dial} },
		"Transport.DialContext":    transport(func(tr *http.Transport, dial dialFunc) { tr.DialContext = dial }),
		"Transport.DialTLSContext": transport(func(tr *http.Transport, dial dialFunc) { tr.DialTLSContext = dial }),
		"Transport.Dial": transport(func(tr *http.Transport, dial dialFunc) {
			//lint:ignore SA1019 what this tests
			tr.Dial = func(network, addr string) (net.Conn, error) { return dial(context.Background(), network, addr) }
		}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gone := make(chan struct{})
				opts := with(func(context.Context, string, string) (net.Conn, error) {
					time.Sleep(time.Hour)
					return pipeTo(t, func(c net.Conn, br *bufio.Reader) {
						io.Copy(io.Discard, br)
						close(gone)
					}), nil
				})
				began := time.Now()
				scheme := "ws"
				if strings.Contains(name, "TLS") {
					scheme = "wss"
				}
				_, err := connect(t, scheme+"://a.test", opts)
				want(t, "the time it took", time.Since(began), defaultHandshakeTimeout)
				wantContains(t, "the dial", err, connecting.String(), "timeout of 15s")
				<-gone
			})
		})
	}
}

func TestDialFunctionThatReturnsNothing(t *testing.T) {
	_, err := connect(t, "ws://a.test", &Options{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, nil }})
	wantContains(t, "the dial", err, connecting.String(), "neither a connection nor an error")
}

// While dials wait for their answers, each of them is one goroutine: the
// caller's.
func TestNoGoroutineOfItsOwn(t *testing.T) {
	const dials = 10
	asked := make(chan struct{})
	addr := listen(t, func(_ net.Conn, br *bufio.Reader) {
		if _, err := http.ReadRequest(br); err == nil {
			asked <- struct{}{}
			br.ReadByte()
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range dials {
		all.Go(func() { Dial(ctx, "ws://"+addr, nil) })
	}
	for range dials {
		<-asked
	}
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	waiting := 0
	for _, stack := range strings.Split(string(stacks), "\n\n") {
		if strings.Contains(stack, "dial.(*inquiry).") {
			waiting++
		}
	}
	want(t, "goroutines that are in an exchange", waiting, dials)
	want(t, "goroutines that package dial or net/http started", strings.Count(string(stacks), "created by github.com/wsflow/wsflow/dial.hook")+
		strings.Count(string(stacks), "created by net/http."), 0)
	cancel()
	all.Wait()
}

// A transport's settings for the answer and for TLS count.
func TestTransportsLimits(t *testing.T) {
	addr := listen(t, answers(func(r *http.Request) string {
		return agreement(r, func(h http.Header) { h.Set("X", strings.Repeat("a", 1000)) })
	}))
	for limit, ok := range map[int64]bool{1000: false, 2000: true} {
		_, err := connect(t, "ws://"+addr, &Options{HTTPClient: &http.Client{Transport: &http.Transport{MaxResponseHeaderBytes: limit}}})
		if ok != (err == nil) || !ok && !errors.Is(err, errHeaderTooLarge) {
			t.Errorf("with a limit of %d the dial ended with %v", limit, err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := connect(t, "wss://a.test", &Options{
			DialContext: pipes(t, silence),
			HTTPClient:  &http.Client{Transport: &http.Transport{TLSHandshakeTimeout: time.Second}},
		})
		want(t, "the time it took", time.Since(began), time.Second)
		want(t, "the error", err, securing.String()+": the transport's TLSHandshakeTimeout of 1s is over: context deadline exceeded")
	})
}

// Whoever traces net/http traces a dial.
func TestCallersTrace(t *testing.T) {
	self := served(issue(t, "self", nil, forServer))
	addr := secureListen(t, self, answers(func(r *http.Request) string { return "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + agree(r) }))
	var events []string
	saw := func(format string, args ...any) { events = append(events, fmt.Sprintf(format, args...)) }
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GetConn:              func(host string) { saw("GetConn %v", host == addr) },
		ConnectStart:         func(string, string) { saw("ConnectStart") },
		TLSHandshakeStart:    func() { saw("TLSHandshakeStart") },
		TLSHandshakeDone:     func(s tls.ConnectionState, err error) { saw("TLSHandshakeDone %v %v", s.HandshakeComplete, err) },
		GotConn:              func(info httptrace.GotConnInfo) { saw("GotConn %T", info.Conn) },
		WroteRequest:         func(info httptrace.WroteRequestInfo) { saw("WroteRequest %v", info.Err) },
		GotFirstResponseByte: func() { saw("GotFirstResponseByte") },
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			saw("Got1xxResponse %d %v", code, header["Link"])
			return nil
		},
	})
	conn, err := Dial(ctx, "wss://"+addr, &Options{TLS: AllowSelfSigned})
	if err != nil {
		t.Fatal(err)
	}
	conn.CloseNow(nil)
	want(t, "what was seen", strings.Join(events, ", "), "GetConn true, ConnectStart, TLSHandshakeStart, TLSHandshakeDone true <nil>, "+
		"GotConn *tls.Conn, WroteRequest <nil>, GotFirstResponseByte, Got1xxResponse 103 [<a>]")
}
