package dial

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// silence is a server that accepts and says nothing.
func silence(c net.Conn, br *bufio.Reader) { io.Copy(io.Discard, br) }

// dripping sends the text one byte a second, again and again.
func dripping(text string) script {
	return func(c net.Conn, br *bufio.Reader) {
		if _, err := http.ReadRequest(br); err != nil {
			return
		}
		for ; ; text = text[1:] + text[:1] {
			time.Sleep(time.Second)
			if _, err := io.WriteString(c, text[:1]); err != nil {
				return
			}
		}
	}
}

// Each server here would keep a client waiting for ever, or nearly.
func TestTimeoutTellsThePhase(t *testing.T) {
	proxy := func(scheme string) func(*http.Request) (*url.URL, error) {
		return http.ProxyURL(&url.URL{Scheme: scheme, Host: "proxy.test:1"})
	}
	for name, tt := range map[string]struct {
		url    string
		proxy  func(*http.Request) (*url.URL, error)
		server script
		phase  phase
	}{
		"connecting":              {"ws://a.test", nil, nil, connecting},
		"connecting to proxy":     {"ws://a.test", proxy("http"), nil, connecting},
		"TLS":                     {"wss://a.test", nil, silence, securing},
		"TLS with proxy":          {"wss://a.test", proxy("https"), silence, securing},
		"tunnel":                  {"ws://a.test", proxy("http"), silence, tunneling},
		"tunnel for wss":          {"wss://a.test", proxy("http"), silence, tunneling},
		"dripping tunnel":         {"ws://a.test", proxy("http"), dripping("HTTP/1.1 200 OK\r\nX: "), tunneling},
		"no answer":               {"ws://a.test", nil, silence, waiting},
		"dripping answer":         {"ws://a.test", nil, dripping("HTTP/1.1 101 OK\r\nX: "), answering},
		"answer full of interims": {"ws://a.test", nil, dripping("HTTP/1.1 100 Continue\r\n\r\n"), answering},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
					if tt.server == nil {
						<-ctx.Done()
						return nil, ctx.Err()
					}
					return pipeTo(t, tt.server), nil
				}
				began := time.Now()
				_, err := connect(t, tt.url, &Options{DialContext: dial, Proxy: tt.proxy, HandshakeTimeout: 20 * time.Second})
				want(t, "the time it took", time.Since(began), 20*time.Second)
				want(t, "the error", err, tt.phase.String()+": the handshake's timeout of 20s is over: context deadline exceeded")
				if timeout := net.Error(nil); !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
					t.Errorf("dial ended with %v, want a timeout", err)
				}
			})
		})
	}
}

// A refusal whose body never ends is told with what came of it.
func TestBodyOfRefusalTakesLittleTime(t *testing.T) {
	drip := func(status string) script {
		return func(c net.Conn, br *bufio.Reader) {
			http.ReadRequest(br)
			io.WriteString(c, "HTTP/1.1 "+status+"\r\n\r\nno")
			io.Copy(io.Discard, br)
		}
	}
	for name, proxy := range map[string]*url.URL{"server": nil, "proxy": {Scheme: "http", Host: "proxy.test:1"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				err := refusal(t, "ws://a.test", &Options{
					DialContext: func(context.Context, string, string) (net.Conn, error) { return pipeTo(t, drip("403 No")), nil },
					Proxy:       http.ProxyURL(proxy),
				})
				want(t, "the time it took", time.Since(began), 3*time.Second)
				want(t, "the body", string(err.Body), "no")
				want(t, "told by the proxy", err.Proxy, proxy != nil)
			})
		})
	}
}

func TestWhoseTimeout(t *testing.T) {
	for name, tt := range map[string]struct {
		own, client time.Duration
		want        time.Duration
	}{
		"default":             {0, 0, 15 * time.Second},
		"own":                 {time.Minute, 0, time.Minute},
		"client's is shorter": {time.Minute, time.Second, time.Second},
		"client's is longer":  {time.Second, time.Minute, time.Second},
		"client's alone":      {-1, time.Minute, time.Minute},
		"the context's":       {-1, 0, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, err := newDialer("ws://a.test", &Options{
					DialContext:      func(context.Context, string, string) (net.Conn, error) { return pipeTo(t, silence), nil },
					HandshakeTimeout: tt.own,
					HTTPClient:       &http.Client{Timeout: tt.client},
				})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				began := time.Now()
				_, err = d.connect(ctx)
				want(t, "the time it took", time.Since(began), tt.want)
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("dial ended with %v", err)
				}
			})
		})
	}
}

// The transport's own timeout is one as well, wherever it finds the answer.
func TestTransportsTimeout(t *testing.T) {
	for answer, now := range map[string]phase{"": waiting, "HTTP/1.1 101 Swi": answering} {
		addr := listen(t, func(c net.Conn, br *bufio.Reader) {
			http.ReadRequest(br)
			io.WriteString(c, answer)
			io.Copy(io.Discard, br)
		})
		_, err := connect(t, "ws://"+addr, &Options{HTTPClient: &http.Client{
			Transport: &http.Transport{ResponseHeaderTimeout: 50 * time.Millisecond},
		}})
		wantContains(t, "the dial", err, now.String())
		var network net.Error
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &network) || !network.Timeout() {
			t.Errorf("after %q the dial ended with %v, want a timeout", answer, err)
		}
	}
}

// An answer can come before the request is written.
func TestPhasesOnlyGoOn(t *testing.T) {
	var p progress
	trace := p.trace()
	trace.GotConn(httptrace.GotConnInfo{})
	trace.GotFirstResponseByte()
	trace.WroteRequest(httptrace.WroteRequestInfo{})
	want(t, "the phase", p.phase(), answering)
}

func TestEndlessHeader(t *testing.T) {
	endless := func(c net.Conn, br *bufio.Reader) {
		http.ReadRequest(br)
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\n")
		for line := "X: " + strings.Repeat("x", 1000) + "\r\n"; ; {
			if _, err := io.WriteString(c, line); err != nil {
				return
			}
		}
	}
	addr := listen(t, endless)
	err := refusal(t, "ws://"+addr, nil)
	want(t, "status", err.StatusCode, 101)
	wantContains(t, "dial", err, "the server broke", "header is too large")
	err = refusal(t, "ws://a.test", &Options{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: addr})})
	wantContains(t, "dial through a proxy", err, "the proxy broke", "header is too large")
}

func TestFailuresTellThePhase(t *testing.T) {
	gone := listen(t, func(c net.Conn, br *bufio.Reader) { http.ReadRequest(br) })
	cut := listen(t, func(c net.Conn, br *bufio.Reader) {
		http.ReadRequest(br)
		io.WriteString(c, "HTTP/1.1 101 Swi")
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()

	_, err = connect(t, "ws://"+gone, nil)
	wantContains(t, "a dial that is answered by EOF", err, waiting.String())
	if !errors.Is(err, io.EOF) {
		t.Errorf("a dial that is answered by EOF ended with %v", err)
	}
	_, err = connect(t, "ws://"+cut, nil)
	wantContains(t, "a dial whose answer is cut", err, answering.String())
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a dial whose answer is cut ended with %v", err)
	}
	_, err = connect(t, "ws://"+l.Addr().String(), nil)
	wantContains(t, "a dial to nobody", err, connecting.String(), "refused")
	_, err = connect(t, "wss://"+gone, nil)
	wantContains(t, "TLS with one who has none", err, securing.String())

	resolver := &net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no name server here")
	}}}
	_, err = connect(t, "ws://name.test", &Options{DialContext: resolver.DialContext})
	wantContains(t, "a dial of an unknown name", err, resolving.String())
	if !errors.As(err, new(*net.DNSError)) {
		t.Errorf("a dial of an unknown name ended with %v, want a *net.DNSError", err)
	}
}

func TestEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d, err := newDialer("ws://a.test", &Options{HTTPClient: untouched(t)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.connect(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("dial ended with %v, want %v", err, context.Canceled)
	}
}
