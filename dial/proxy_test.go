package dial

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// proxying is a proxy that makes tunnels, to the loopback port of the host that
// it is asked for.
func proxying(asked chan<- *http.Request) script {
	return func(c net.Conn, br *bufio.Reader) {
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		asked <- req
		_, port, _ := net.SplitHostPort(req.Host)
		up, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			return
		}
		defer up.Close()
		io.WriteString(c, "HTTP/1.1 200 Tunnel\r\nX-Proxy: yes\r\n\r\n")
		pump(c, br, up)
	}
}

// pump copies both ways until either side ends.
func pump(c net.Conn, br *bufio.Reader, up net.Conn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(c, up)
		c.Close()
	}()
	io.Copy(up, br)
	up.Close()
	<-done
}

func fixed(scheme, addr string) func(*http.Request) (*url.URL, error) {
	return http.ProxyURL(&url.URL{Scheme: scheme, Host: addr, User: url.UserPassword("user", "hunter2")})
}

// A world is a server for each scheme and a proxy for each scheme.
type world struct {
	servers, proxies map[string]string
	asked            chan *http.Request
	roots            *x509.CertPool // for the proxy, not for the server
}

func newWorld(t *testing.T) world {
	trusted, stranger := issue(t, "proxy", nil, also(isCA, forServer)), issue(t, "self", nil, forServer)
	w := world{asked: make(chan *http.Request, 10), roots: x509.NewCertPool()}
	w.roots.AddCert(trusted.cert)
	w.servers = map[string]string{
		"ws":  listen(t, answers(agree)),
		"wss": secureListen(t, served(stranger), answers(agree)),
	}
	w.proxies = map[string]string{
		"http":    listen(t, proxying(w.asked)),
		"https":   secureListen(t, served(trusted), proxying(w.asked)),
		"socks5":  listen(t, socks),
		"socks5h": listen(t, socks),
	}
	return w
}

// socks is a SOCKS5 proxy (RFC 1928, RFC 1929) that wants user and hunter2, and
// connects to the loopback port that it is asked for.
func socks(c net.Conn, br *bufio.Reader) {
	read := func(n int) []byte {
		b := make([]byte, n)
		io.ReadFull(br, b)
		return b
	}
	read(int(read(2)[1]))
	c.Write([]byte{5, 2})
	user := read(int(read(2)[1]))
	password := read(int(read(1)[0]))
	if string(user)+string(password) != "userhunter2" {
		c.Write([]byte{1, 1})
		return
	}
	c.Write([]byte{1, 0})
	switch read(4)[3] {
	case 1:
		read(4)
	case 3:
		read(int(read(1)[0]))
	}
	up, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", binary.BigEndian.Uint16(read(2))))
	if err != nil {
		return
	}
	defer up.Close()
	c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	pump(c, br, up)
}

func TestProxies(t *testing.T) {
	w := newWorld(t)
	for scheme, server := range w.servers {
		for kind, proxy := range w.proxies {
			t.Run(scheme+" through "+kind, func(t *testing.T) {
				_, port, _ := net.SplitHostPort(server)
				opts := &Options{Proxy: fixed(kind, proxy), TLSConfig: &tls.Config{RootCAs: w.roots}}
				if scheme == "wss" {
					opts.TLS = AllowSelfSigned
				}
				mustConnect(t, scheme+"://example.com:"+port, opts)
				if !strings.HasPrefix(kind, "http") {
					return
				}
				req := <-w.asked
				want(t, "the request", req.Method+" "+req.RequestURI, "CONNECT example.com:"+port)
				want(t, "Proxy-Authorization", req.Header.Get("Proxy-Authorization"), "Basic dXNlcjpodW50ZXIy")
			})
		}
	}
}

// The names in two certificates are two.
func TestProxyAndServerHaveTheirOwnNames(t *testing.T) {
	w := newWorld(t)
	root := issue(t, "root", nil, isCA)
	w.roots.AddCert(root.cert)
	server := secureListen(t, served(issue(t, "leaf", root, forOther)), answers(agree))
	_, port, _ := net.SplitHostPort(server)
	for _, config := range []*tls.Config{{}, {ServerName: "other.example"}} {
		config.RootCAs = w.roots
		mustConnect(t, "wss://other.example:"+port, &Options{Proxy: fixed("https", w.proxies["https"]), TLSConfig: config})
	}
}

// No flag makes a proxy's certificate good, and the error does not say that one
// would.
func TestProxysCertificateIsNotRelaxed(t *testing.T) {
	w := newWorld(t)
	for _, flags := range []TLSFlags{0, allTLSFlags} {
		_, err := connect(t, "wss://"+w.servers["wss"], &Options{Proxy: fixed("https", w.proxies["https"]), TLS: flags})
		if !errors.As(err, new(x509.UnknownAuthorityError)) {
			t.Errorf("flags %v: dial ended with %v, want an x509.UnknownAuthorityError", flags, err)
		}
		wantContains(t, "dial", err, "proxyconnect")
		if strings.Contains(err.Error(), "would forgive") {
			t.Errorf("flags %v: the error names a flag: %v", flags, err)
		}
	}
}

func TestProxyRefuses(t *testing.T) {
	proxy := listen(t, answers(func(*http.Request) string {
		return "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 5\r\n\r\nsorry"
	}))
	for _, url := range []string{"ws://example.com", "wss://example.com"} {
		err := refusal(t, url, &Options{Proxy: fixed("http", proxy)})
		want(t, "told by the proxy", err.Proxy, true)
		want(t, "status", err.StatusCode, 407)
		want(t, "header", err.Header.Get("Proxy-Authenticate"), "Basic")
		want(t, "body", string(err.Body), "sorry")
		want(t, "text", err, "the proxy refused the opening handshake with 407 Proxy Authentication Required")
	}
}

func TestProxyAnswersInSteps(t *testing.T) {
	server := listen(t, answers(agree))
	steps := func(head string) string {
		return listen(t, func(c net.Conn, br *bufio.Reader) {
			io.WriteString(c, head)
			proxying(make(chan *http.Request, 1))(c, br)
		})
	}
	const interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"
	mustConnect(t, "ws://"+server, &Options{Proxy: fixed("http", steps(interim))})
	err := refusal(t, "ws://"+server, &Options{Proxy: fixed("http", steps("HTTP/1.1 101 Other\r\n\r\n"))})
	want(t, "status", err.StatusCode, 101)
	err = refusal(t, "ws://"+server, &Options{Proxy: fixed("http", steps(strings.Repeat(interim, 2000)))})
	wantContains(t, "a dial with interim answers without end", err, "header is too large")
}

func TestSOCKSProxyRefuses(t *testing.T) {
	proxy := listen(t, func(c net.Conn, br *bufio.Reader) {
		io.ReadFull(br, make([]byte, 3)) // version 5, one method, none
		io.WriteString(c, "\x05\x00")
		io.ReadFull(br, make([]byte, 5+len("a.test")+2))
		io.WriteString(c, "\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00")
	})
	_, err := connect(t, "ws://a.test", &Options{Proxy: http.ProxyURL(&url.URL{Scheme: "socks5", Host: proxy})})
	var op *net.OpError
	if !errors.As(err, &op) || errors.As(err, new(*HandshakeError)) {
		t.Fatalf("the dial ended with %v, want a *net.OpError", err)
	}
	want(t, "what failed", op.Op, "socks connect")
}

func TestProxyBreaksTheProtocol(t *testing.T) {
	for answer, says := range map[string]string{
		"SSH-2.0\r\n\r\n": "no HTTP/1.1",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhasty": "before any were sent",
	} {
		proxy := listen(t, answers(func(*http.Request) string { return answer }))
		err := refusal(t, "ws://example.com", &Options{Proxy: fixed("http", proxy)})
		want(t, "told by the proxy", err.Proxy, true)
		wantContains(t, "dial", err, "the proxy broke", says)
	}
	proxy := listen(t, func(_ net.Conn, br *bufio.Reader) { http.ReadRequest(br) })
	_, err := connect(t, "ws://example.com", &Options{Proxy: fixed("http", proxy)})
	wantContains(t, "a dial that the proxy does not answer", err, tunneling.String())
}

func TestTransportsProxySettings(t *testing.T) {
	asked := make(chan *http.Request, 1)
	proxy := listen(t, proxying(asked))
	server := listen(t, answers(agree))
	answered := ""
	transport := &http.Transport{
		Proxy:              fixed("http", proxy),
		ProxyConnectHeader: http.Header{"X-Fixed": {"1"}},
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
			answered = resp.Header.Get("X-Proxy")
			return nil
		},
	}
	mustConnect(t, "ws://"+server, &Options{HTTPClient: &http.Client{Transport: transport}})
	want(t, "X-Fixed", (<-asked).Header.Get("X-Fixed"), "1")
	want(t, "what OnProxyConnectResponse saw", answered, "yes")
	want(t, "the caller's header", len(transport.ProxyConnectHeader), 1)

	mine := http.Header{}
	transport.GetProxyConnectHeader = func(_ context.Context, _ *url.URL, target string) (http.Header, error) {
		mine.Set("X-Target", target)
		return mine, nil
	}
	mustConnect(t, "ws://"+server, &Options{HTTPClient: &http.Client{Transport: transport}})
	want(t, "X-Target", (<-asked).Header.Get("X-Target"), server)
	want(t, "the caller's other header", len(mine), 1)

	none := func(*http.Request) (*url.URL, error) { return nil, nil }
	mustConnect(t, "ws://"+server, &Options{HTTPClient: &http.Client{Transport: transport}, Proxy: none})
	want(t, "requests to the proxy that the option turns off", len(asked), 0)
}

// A transport's DialTLSContext is for what it connects to itself: the proxy,
// not the server.
func TestTransportsDialTLS(t *testing.T) {
	w := newWorld(t)
	var dialed []string
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialed = append(dialed, addr)
			return (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(ctx, network, addr)
		},
	}}
	for _, kind := range []string{"http", "https"} {
		mustConnect(t, "wss://"+w.servers["wss"], &Options{HTTPClient: client, Proxy: fixed(kind, w.proxies[kind])})
	}
	mustConnect(t, "wss://"+w.servers["wss"], &Options{HTTPClient: client})
	want(t, "what was dialed", dialed, []string{w.proxies["https"], w.servers["wss"]})
}

// The hooks of old are for the proxy as well, and never a way around it.
func TestTransportsHooksWithoutContext(t *testing.T) {
	w := newWorld(t)
	var dialed []string
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		//lint:ignore SA1019 what this tests
		Dial: func(network, addr string) (net.Conn, error) {
			dialed = append(dialed, addr)
			return net.Dial(network, addr)
		},
		//lint:ignore SA1019 what this tests
		DialTLS: func(network, addr string) (net.Conn, error) {
			dialed = append(dialed, "TLS "+addr)
			return tls.Dial(network, addr, &tls.Config{InsecureSkipVerify: true})
		},
	}}
	for _, kind := range []string{"http", "https"} {
		mustConnect(t, "wss://"+w.servers["wss"], &Options{HTTPClient: client, Proxy: fixed(kind, w.proxies[kind])})
	}
	want(t, "the number of tunnels", len(w.asked), 2)
	mustConnect(t, "wss://"+w.servers["wss"], &Options{HTTPClient: client})
	mustConnect(t, "ws://"+w.servers["ws"], &Options{HTTPClient: client})
	want(t, "what was dialed", dialed, []string{w.proxies["http"], "TLS " + w.proxies["https"], "TLS " + w.servers["wss"], w.servers["ws"]})
}

// An error about the environment's proxy quotes it, password and all.
func TestProxyThatDoesNotParse(t *testing.T) {
	transport := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) {
		return nil, errors.New(`invalid proxy address "http://user:hunter2@no"`)
	}}
	err := refusedArgument(t, "ws://127.0.0.1:1", &Options{HTTPClient: &http.Client{Transport: transport}})
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error shows a password: %v", err)
	}
}

func TestUnixSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "dial") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "a:b")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan *http.Request, 2)
	serveOn(t, l, answers(func(r *http.Request) string {
		got <- r
		if r.URL.Path == "/here" {
			return redirect("/there")
		}
		return agree(r)
	}))
	astray := &http.Client{Transport: &http.Transport{Proxy: fixed("http", "127.0.0.1:1")}}
	e := mustConnect(t, "ws+unix://"+strings.ReplaceAll(path, ":", "%3A")+":/here?a=b", &Options{HTTPClient: astray})
	r := <-got
	want(t, "the request", r.Host+" "+r.RequestURI, "localhost /here?a=b")
	want(t, "the redirected request", (<-got).RequestURI, "/there")
	if _, ok := e.rwc.(*net.UnixConn); !ok {
		t.Errorf("the connection is a %T", e.rwc)
	}
	_, err = connect(t, "ws+unix://"+dir+"/nobody", nil)
	wantContains(t, "a dial to no socket", err, connecting.String(), "no such file")
}

func TestDialContextSeesTheProxy(t *testing.T) {
	asked := make(chan *http.Request, 1)
	proxy := listen(t, proxying(asked))
	server := listen(t, answers(agree))
	var addrs []string
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		addrs = append(addrs, addr)
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	mustConnect(t, "ws://"+server, &Options{DialContext: dial, Proxy: fixed("http", proxy)})
	mustConnect(t, "ws://"+server, &Options{DialContext: dial, Proxy: http.ProxyURL(nil)})
	want(t, "what was dialed", addrs, []string{proxy, server})
}
