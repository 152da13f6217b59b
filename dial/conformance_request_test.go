package dial

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/deflate"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// requested returns the request that the options make, byte by byte.
func requested(t *testing.T, url string, opts *Options) (request, address string) {
	t.Helper()
	s := &scripted{answer: "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"}
	s.fails(t, url, opts)
	if len(s.visits) != 1 {
		t.Fatalf("%d connections were made", len(s.visits))
	}
	return s.last().request, s.last().address
}

// ws-URI = "ws:" "//" host [ ":" port ] path [ "?" query ]. "The port component
// is OPTIONAL; the default for "ws" is port 80, while the default for "wss" is
// port 443." The resource name is ""/" if the path component is empty", the path
// component, and "?" and the query component if that is not empty.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-3
func TestSection3URIs(t *testing.T) {
	for _, tt := range []struct{ url, address, resource, host string }{
		{"ws://a.test", "a.test:80", "/", "a.test"},
		{"ws://a.test/", "a.test:80", "/", "a.test"},
		{"ws://a.test:8080", "a.test:8080", "/", "a.test:8080"},
		{"ws://a.test:80/", "a.test:80", "/", "a.test"},
		{"ws://[::1]:80/", "[::1]:80", "/", "[::1]"},
		{"ws://a.test:443/", "a.test:443", "/", "a.test:443"},
		{"ws://a.test?x=1", "a.test:80", "/?x=1", "a.test"},
		{"ws://a.test/b/c", "a.test:80", "/b/c", "a.test"},
		{"ws://a.test/b/", "a.test:80", "/b/", "a.test"},
		{"ws://a.test/b//c/../d", "a.test:80", "/b//c/../d", "a.test"},
		{"ws://a.test/b?x=1&y=2", "a.test:80", "/b?x=1&y=2", "a.test"},
		{"ws://a.test/b?x=?/:@", "a.test:80", "/b?x=?/:@", "a.test"},
		{"ws://a.test/%E2%82%AC%20%2F%23?%23=%20+", "a.test:80", "/%E2%82%AC%20%2F%23?%23=%20+", "a.test"},
		{"ws://a.test/b;c=d,e", "a.test:80", "/b;c=d,e", "a.test"},
		{"WS://a.test/B", "a.test:80", "/B", "a.test"},
		{"http://a.test/b", "a.test:80", "/b", "a.test"},
		{"ws://127.0.0.1:9001/", "127.0.0.1:9001", "/", "127.0.0.1:9001"},
		{"ws://[::1]/", "[::1]:80", "/", "[::1]"},
		{"ws://[::1]:9001/b?x", "[::1]:9001", "/b?x", "[::1]:9001"},
		{"ws://[2001:db8::7]:1/", "[2001:db8::7]:1", "/", "[2001:db8::7]:1"},
		{"ws://user:pass@a.test/b", "a.test:80", "/b", "a.test"},
	} {
		conformance.Rule(t, "3", tt.url, func(t *testing.T) {
			request, address := requested(t, tt.url, nil)
			line, _, _ := strings.Cut(request, "\r\n")
			want(t, "the request line", line, "GET "+tt.resource+" HTTP/1.1")
			want(t, "the address that was dialed", address, tt.address)
			want(t, "Host", one(request, "Host"), tt.host)
		})
	}
	for _, url := range []string{
		"ws://a.test/#", "ws://a.test/#top", "ws://a.test#top", "wss://a.test/b?c#d", "ws://a.test/b?#", "ws://user@a.test/#x",
		"", "a.test", "//a.test/", "ws:a.test", "ws:/a.test", "ws://", "ws:///b", "ws://:80/", "ftp://a.test/", "wsx://a.test/",
		"ws://a.test:0/", "ws://a.test:65536/", "ws://a.test:-1/", "ws://a.test:x/", "ws://a b/", "ws://[::1/", "ws://::1/", "ws://a.test/%zz", "ws://a.test/\r\n",
	} {
		conformance.Rule(t, "3", fmt.Sprintf("refused: %q", url), func(t *testing.T) {
			refusedArgument(t, url, &Options{HTTPClient: untouched(t)})
		})
	}
	for _, url := range []string{"ws://a.test/b?c d", "ws://a.test/b?\u20ac", "ws://a.test/b?a=\"b\"<c>"} {
		conformance.Rule(t, "3", fmt.Sprintf("escaped or refused: %q", url), func(t *testing.T) {
			if _, err := newDialer(url, nil); err != nil {
				return
			}
			request, _ := requested(t, url, nil)
			line, _, _ := strings.Cut(request, "\r\n")
			if strings.Count(line, " ") != 2 || strings.ContainsFunc(line, func(r rune) bool { return r > '~' || strings.ContainsRune(`"<>`, r) }) {
				t.Errorf("the request line is %q", line)
			}
		})
	}
	conformance.Rule(t, "3", "a userinfo is sent as Basic authorization", func(t *testing.T) {
		request, _ := requested(t, "ws://user:p%40ss@a.test/", nil)
		want(t, "Authorization", one(request, "Authorization"), "Basic "+base64.StdEncoding.EncodeToString([]byte("user:p@ss")))
	})
}

// "The method of the request MUST be GET, and the HTTP version MUST be at least
// 1.1"; and the header fields that it MUST include, each of them once.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
func TestSection4_1Request(t *testing.T) {
	offering := &Options{Operators: []stream.Operator{testExtension{offers: []string{"x; a=1", "x"}}, testExtension{offers: []string{"y"}}}}
	for _, tt := range []struct {
		name, field string
		opts        *Options
		want        string // "" where the field must not stand
	}{
		{"the Upgrade keyword", "Upgrade", nil, "websocket"},
		{"the Connection token", "Connection", nil, "Upgrade"},
		{"the version", "Sec-WebSocket-Version", nil, "13"},
		{"the host", "Host", nil, "a.test:81"},
		{"another host", "Host", &Options{Host: "b.test"}, "b.test"},
		{"no origin", "Origin", nil, ""},
		{"an origin", "Origin", &Options{Header: http.Header{"Origin": {"https://a.test"}}}, "https://a.test"},
		{"no subprotocol", "Sec-WebSocket-Protocol", nil, ""},
		{"one subprotocol", "Sec-WebSocket-Protocol", &Options{Subprotocols: []string{"chat"}}, "chat"},
		{"subprotocols in their order", "Sec-WebSocket-Protocol", &Options{Subprotocols: []string{"v2.chat", "chat", "Chat"}}, "v2.chat,chat,Chat"},
		{"no extensions", "Sec-WebSocket-Extensions", &Options{Operators: none}, ""},
		{"extensions", "Sec-WebSocket-Extensions", offering, "x; a=1, x, y"},
		{"the default extensions", "Sec-WebSocket-Extensions", &Options{}, "permessage-deflate; client_max_window_bits"},
		{"fields of the caller's", "X-Mine", &Options{Header: http.Header{"X-Mine": {"a, b"}}}, "a, b"},
		{"no body", "Content-Length", nil, ""},
		{"no transfer coding", "Transfer-Encoding", nil, ""},
		{"no accept key", "Sec-WebSocket-Accept", nil, ""},
	} {
		conformance.Rule(t, "4.1", "the request has "+tt.name, func(t *testing.T) {
			request, _ := requested(t, "ws://a.test:81/b", tt.opts)
			all := values(request, tt.field)
			if tt.want == "" && len(all) > 0 || tt.want != "" && (len(all) != 1 || strings.ReplaceAll(all[0], ", ", ",") != strings.ReplaceAll(tt.want, ", ", ",")) {
				t.Errorf("%s is %q, want %q", tt.field, all, tt.want)
			}
			if !strings.HasPrefix(request, "GET /b HTTP/1.1\r\n") {
				t.Errorf("the request is %q", request)
			}
		})
	}
	conformance.Rule(t, "4.1", "the request is HTTP/1.1, line by line", func(t *testing.T) {
		request, _ := requested(t, "ws://a.test/", &Options{Header: http.Header{"X-Mine": {"a", "b"}}})
		for line := range strings.SplitSeq(strings.TrimSuffix(request, "\r\n\r\n"), "\r\n") {
			key, _, ok := strings.Cut(line, ": ")
			if line != "GET / HTTP/1.1" && (!ok || !isToken(key)) || strings.ContainsAny(line, "\r\n\x00") {
				t.Errorf("a line is %q", line)
			}
		}
		want(t, "X-Mine", values(request, "X-Mine"), "[a b]")
	})
}

// "The value of this header field MUST be a nonce consisting of a randomly
// selected 16-byte value that has been base64-encoded. The nonce MUST be selected
// randomly for each connection."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
func TestSection4_1Key(t *testing.T) {
	const dials = 200
	conformance.Rule(t, "4.1", fmt.Sprintf("fresh keys for %d connections", dials), func(t *testing.T) {
		seen := map[string]bool{}
		octets := [16]map[byte]bool{}
		for range dials {
			request, _ := requested(t, "ws://a.test/", nil)
			key := one(request, "Sec-WebSocket-Key")
			nonce, err := base64.StdEncoding.Strict().DecodeString(key)
			if err != nil || len(nonce) != 16 {
				t.Fatalf("the key is %q", key)
			}
			seen[key] = true
			for i, b := range nonce {
				if octets[i] == nil {
					octets[i] = map[byte]bool{}
				}
				octets[i][b] = true
			}
		}
		want(t, "different keys", len(seen), dials)
		for i, values := range octets {
			if len(values) < 90 {
				t.Errorf("octet %d has only %d values", i, len(values))
			}
		}
	})
}

// "Once the client's opening handshake has been sent, the client MUST wait for a
// response from the server before sending any further data."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
func TestSection4_1Waits(t *testing.T) {
	conformance.Rule(t, "4.1", "nothing is sent before the whole answer has come", func(t *testing.T) {
		early := make(chan int, 1)
		dial := func(context.Context, string, string) (net.Conn, error) {
			return pipeTo(t, func(c net.Conn, br *bufio.Reader) {
				request, _ := readHead(br)
				sent := make(chan []byte, 1)
				go func() {
					first := make([]byte, 1)
					n, _ := br.Read(first)
					sent <- first[:n]
				}()
				answer := strings.ReplaceAll(good, "{accept}", acceptOf(one(request, "Sec-WebSocket-Key")))
				for _, part := range []string{"", answer, "\r"} {
					io.WriteString(c, part)
					synctest.Wait()
				}
				early <- len(sent)
				io.WriteString(c, "\n")
				<-sent
			}), nil
		}
		conn, err := Dial(t.Context(), "ws://a.test/", &Options{DialContext: dial})
		if err != nil {
			t.Fatal(err)
		}
		want(t, "bytes that were sent too early", <-early, 0)
		conn.CloseNow(nil)
	})
	conformance.Rule(t, "4.1", "a connection that cannot be opened fails", func(t *testing.T) {
		refuse := errors.New("refused")
		_, err := Dial(t.Context(), "ws://a.test/", &Options{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, refuse }})
		if !errors.Is(err, refuse) || !errors.As(err, new(*result.ConnectionFailed)) {
			t.Errorf("it ended with %v", err)
		}
	})
}

// "If /secure/ is true, the client MUST perform a TLS handshake over the
// connection after opening the connection and before sending the handshake
// data", and "MUST use the Server Name Indication extension".
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
func TestSection4_1TLS(t *testing.T) {
	self := served(issue(t, "self", nil, forServer))
	for _, tt := range []struct{ url, address, host, name string }{
		{"wss://a.test", "a.test:443", "a.test", "a.test"},
		{"wss://a.test:8443/b", "a.test:8443", "a.test:8443", "a.test"},
		{"https://a.test:80/", "a.test:80", "a.test:80", "a.test"},
	} {
		conformance.Rule(t, "4.1", "TLS first, for "+tt.url, func(t *testing.T) {
			s := &scripted{answer: good + "\r\n"}
			var name string
			opts := s.options(t, &Options{Operators: none, TLS: AllowSelfSigned | SkipHostnameCheck | AllowExpired}) // a bubble has a time of its own
			opts.DialContext = func(_ context.Context, _, address string) (net.Conn, error) {
				serve := s.visited(address)
				return pipeTo(t, func(c net.Conn, _ *bufio.Reader) {
					config := &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
						name = hello.ServerName
						return &self, nil
					}}
					server := tls.Server(c, config)
					serve(server, bufio.NewReader(server))
				}), nil
			}
			conn, err := Dial(t.Context(), tt.url, opts)
			if err != nil {
				t.Fatal(err)
			}
			conn.CloseNow(nil)
			want(t, "the address", s.last().address, tt.address)
			want(t, "Host", one(s.last().request, "Host"), tt.host)
			want(t, "the server's name", name, tt.name)
		})
	}
	conformance.Rule(t, "4.1", "TLS that fails fails the connection", func(t *testing.T) {
		s := &scripted{answer: good + "\r\n"}
		_, err := Dial(t.Context(), "wss://a.test", s.options(t, nil))
		if !errors.As(err, new(*result.ConnectionFailed)) {
			t.Errorf("it ended with %v", err)
		}
		if request := s.last().request; strings.Contains(request, "HTTP") {
			t.Errorf("the handshake went without TLS: %q", request)
		}
	})
}

// The offer is what the operators offer, in their order and best first.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-9.1
func TestSection9_1Offers(t *testing.T) {
	several := deflate.New(&deflate.Options{Setups: []deflate.Setup{{PeerMaxWindowBits: 10}, {}}})
	for want, operators := range map[string][]stream.Operator{
		"permessage-deflate; server_max_window_bits=10; client_max_window_bits, permessage-deflate; client_max_window_bits": {several},
		"y, permessage-deflate; client_max_window_bits, x":                                                                  {testExtension{offers: []string{"y"}}, plain{"none"}, deflate.New(nil), testExtension{offers: []string{"x"}}},
		`x; a="b"`: {testExtension{offers: []string{`x; a="b"`}}},
	} {
		conformance.Rule(t, "9.1", "offering "+want, func(t *testing.T) {
			request, _ := requested(t, "ws://a.test/", &Options{Operators: operators})
			if got := one(request, "Sec-WebSocket-Extensions"); got != want {
				t.Errorf("the offer is %q, want %q", got, want)
			}
		})
	}
}
