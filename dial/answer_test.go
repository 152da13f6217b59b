package dial

import (
	"bufio"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// oddly are ways to say where a body ends that are not valid, or not known.
var oddly = []string{
	"Transfer-Encoding: identity\r\n",
	"Transfer-Encoding: chunked, identity\r\n",
	"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
	"Transfer-Encoding: ,\r\n",
	"Content-Length: 0\r\nContent-Length: 4\r\n",
	"Content-Length: none\r\n",
	"Content-Length: -1\r\n",
	"Content-Length: 99999999999999999999\r\n",
	"Content-Length:\r\n",
}

// https://www.rfc-editor.org/rfc/rfc9112.html#section-6.3
func TestBodyOfRefusal(t *testing.T) {
	for _, tt := range []struct{ status, lines, body, want string }{
		{"403 No", "", "until it ends", "until it ends"},
		{"403 No", "Content-Length: 5\r\n", "hello, more", "hello"},
		{"403 No", "Content-Length: 5\r\nContent-Length: 5\r\n", "hello, more", "hello"},
		{"403 No", "Content-Length: 5, 5\r\n", "hello, more", "hello"},
		{"403 No", "Content-Length: 0\r\n", "more", ""},
		{"403 No", "Content-Length: 5\r\n", "cut", "cut"},
		{"403 No", "Content-Length: 0\r\nContent-Length: 4\r\n", "more", ""},
		{"403 No", "Content-Length: none\r\n", "more", ""},
		{"403 No", "Content-Length: -1\r\n", "more", ""},
		{"403 No", "Content-Length:\r\n", "more", ""},
		{"403 No", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nmore", "abcde"},
		{"403 No", "Transfer-Encoding: Chunked\r\nContent-Length: 1\r\n", "3\r\nabc\r\n0\r\n\r\n", "abc"},
		{"403 No", "Transfer-Encoding: gzip, chunked\r\n", "3\r\nabc\r\n0\r\n\r\n", "abc"},
		{"403 No", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n", "abc"},
		{"403 No", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\nno chunk", "abc"},
		{"403 No", "Transfer-Encoding: identity\r\nContent-Length: 1\r\n", "abc", "abc"},
		{"204 None", "", "more", ""},
		{"304 Same", "Content-Length: 4\r\n", "more", ""},
	} {
		r := bufio.NewReader(strings.NewReader("HTTP/1.1 " + tt.status + "\r\n" + tt.lines + "\r\n" + tt.body))
		resp, err := (&head{r: r, left: 1000}).answer()
		if err != nil {
			t.Errorf("%q: %v", tt.lines, err)
			continue
		}
		got, _ := io.ReadAll(bodyOf(resp, r))
		want(t, tt.status+" "+tt.lines, string(got), tt.want)
	}
}

// Whatever is wrong with a body, a refusal's status and header are told.
func TestOddlyFramedRefusal(t *testing.T) {
	for _, lines := range oddly {
		addr := listen(t, func(c net.Conn, br *bufio.Reader) {
			http.ReadRequest(br)
			io.WriteString(c, "HTTP/1.1 429 Busy\r\nRetry-After: 7\r\n"+lines+"\r\n0\r\n\r\n")
		})
		err := refusal(t, "ws://"+addr, nil)
		want(t, lines+"the status", err.StatusCode, 429)
		want(t, lines+"Retry-After", err.RetryAfter(), 7*time.Second)
		want(t, lines+"the text", err, "the server refused the opening handshake with 429 Too Many Requests")
	}
}

// A cut is told as one wherever it comes, by an error that is io.EOF before the
// first byte and io.ErrUnexpectedEOF behind it, with the status once that is
// there.
func TestAnswerIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		whole := strings.ReplaceAll(good, "{accept}", acceptOf("")) + "\r\n"
		for n := range whole {
			_, err := connect(t, "ws://a.test", &Options{DialContext: pipes(t, func(c net.Conn, br *bufio.Reader) {
				readHead(br)
				io.WriteString(c, whole[:n])
				c.Close()
			})})
			cause, now := io.ErrUnexpectedEOF, answering.String()+": unexpected EOF"
			if n == 0 {
				cause, now = io.EOF, waiting.String()+": EOF"
			}
			if n >= len(statusLine) {
				now = "the server broke the opening handshake: the answer's header has no end: unexpected EOF"
			}
			if !errors.Is(err, cause) || !strings.HasPrefix(err.Error(), now) {
				t.Errorf("after %q the dial ended with %v", whole[:n], err)
			}
			var refused *HandshakeError
			if told := errors.As(err, &refused); told != (n >= len(statusLine)) || told && (refused.StatusCode != 101 || refused.Header == nil) {
				t.Errorf("after %q the dial ended with %+v", whole[:n], refused)
			}
		}
	})
}

// Of a header that breaks off, the fields before that are there.
func TestHeaderBeforeTheFault(t *testing.T) {
	for fault, says := range map[string]string{
		"X: cu":                                "has no end",
		"nonsense\r\n\r\n":                     "malformed",
		"X: " + strings.Repeat("a", 100_000):   "too large",
		"X: a\x00b\r\n\r\n":                    "malformed",
		strings.Repeat("X: a\r\n", 20_000):     "too large",
		"X: a\r\n no: fold\r\n: nothing\r\n\r": "has no end",
	} {
		addr := listen(t, func(c net.Conn, br *bufio.Reader) {
			http.ReadRequest(br)
			io.WriteString(c, "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nSet-Cookie: a=b\r\n"+fault)
		})
		err := refusal(t, "ws://"+addr, nil)
		want(t, "the status", err.StatusCode, 503)
		want(t, "Retry-After", err.RetryAfter(), 7*time.Second)
		want(t, "Set-Cookie", err.Header.Get("Set-Cookie"), "")
		wantContains(t, "a dial that is answered with "+fault[:5], err, "the server answered the opening handshake with 503 Service Unavailable: ", says)
	}
}

// Where TLS is spoken on one side alone.
func TestTLSWhereThereIsNone(t *testing.T) {
	alert := answers(func(*http.Request) string { return "\x15\x03\x01\x00\x02\x02\x46" })
	for name, addr := range map[string]string{
		"an alert": listen(t, alert),
		"an alert and the end": listen(t, func(c net.Conn, br *bufio.Reader) {
			http.ReadRequest(br)
			io.WriteString(c, "\x15\x03\x03\x00\x02\x02\x0a")
		}),
		"net/http": strings.TrimPrefix(echoes(t, true).URL, "https://"),
		"a socket": secureListen(t, served(issue(t, "self", nil, forServer)), silence),
	} {
		_, err := connect(t, "ws://"+addr, nil)
		wantContains(t, name, err, "TLS", "wss://")
		if strings.Contains(err.Error(), "HTTP/1.1") {
			t.Errorf("%s: the dial ended with %v", name, err)
		}
	}
	_, err := connect(t, "ws://a.test", &Options{Proxy: fixed("http", listen(t, alert))})
	wantContains(t, "a proxy", err, "the proxy broke", "TLS")
	_, err = connect(t, "wss://"+listen(t, func(c net.Conn, br *bufio.Reader) {
		io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		io.Copy(io.Discard, br)
	}), nil)
	wantContains(t, "wss to a port without TLS", err, securing.String(), "without TLS", "ws://")

	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400) }))
	defer plain.Close()
	err = refusal(t, plain.URL, nil)
	want(t, "a 400 of another kind", err, "the server refused the opening handshake with 400 Bad Request")
}

// Behind a refusal, and before a request, servers send what nobody asked for. It
// may be our own request, with all its secrets.
func TestNothingIsPrinted(t *testing.T) {
	var printed strings.Builder
	defer log.SetOutput(log.Writer())
	log.SetOutput(&printed)
	for _, answer := range []string{
		"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 204 None\r\n\r\n",
		"HTTP/1.1 304 Same\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
		"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
		"",
	} {
		addr := listen(t, func(c net.Conn, br *bufio.Reader) {
			io.WriteString(c, answer)
			io.Copy(c, br)
		})
		_, err := Dial(t.Context(), "ws://user:"+secret+"@"+addr, secretive(Options{}))
		noSecret(t, err)
		if err == nil {
			t.Errorf("%q: the dial succeeded", answer)
		}
	}
	want(t, "what was printed", printed.String(), "")
}

// A server that takes no more answers without having read the request.
func TestAnswerBeforeTheRequest(t *testing.T) {
	busy := "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nfull"
	closing := listen(t, func(c net.Conn, _ *bufio.Reader) { io.WriteString(c, busy) })
	for range 20 {
		err := refusal(t, "ws://"+closing, nil)
		want(t, "the status", err.StatusCode, 503)
		want(t, "Retry-After", err.RetryAfter(), 7*time.Second)
	}
	broken := errors.New("broken pipe")
	for _, answer := range []string{busy, "", good + "\r\n"} {
		_, err := connect(t, "ws://a.test", &Options{DialContext: pipes(t, func(c net.Conn, _ *bufio.Reader) {
			io.WriteString(c, answer)
			c.Close()
		}, func(c net.Conn) net.Conn { return unwritable{c, broken} })})
		var refused *HandshakeError
		switch {
		case answer != busy && (!errors.Is(err, broken) || errors.As(err, &refused)):
			t.Errorf("a dial without a refusal ended with %v, want %v", err, broken)
		case answer == busy && (!errors.As(err, &refused) || refused.StatusCode != 503 || string(refused.Body) != "full"):
			t.Errorf("a dial with an answer ended with %v", err)
		}
	}
}

// A server that reads nothing and says nothing is not waited for when nothing
// could be sent.
func TestNoAnswerToNoRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken, began := errors.New("broken pipe"), time.Now()
		_, err := connect(t, "ws://a.test", &Options{DialContext: pipes(t, silence, func(c net.Conn) net.Conn { return unwritable{c, broken} })})
		if !errors.Is(err, broken) {
			t.Errorf("the dial ended with %v, want %v", err, broken)
		}
		want(t, "the time it took", time.Since(began), 3*time.Second)
	})
}

// An unwritable connection can only be read.
type unwritable struct {
	net.Conn
	err error
}

func (c unwritable) Write([]byte) (int, error) { return 0, c.err }

// What a caller's own RoundTripper says of an answer may quote it.
func TestForeignRoundTripperCannotRead(t *testing.T) {
	addr := listen(t, func(c net.Conn, br *bufio.Reader) { io.Copy(c, br) })
	opts := secretive(Options{HTTPClient: &http.Client{Transport: wrapping{}}})
	_, err := Dial(t.Context(), "ws://"+addr, opts)
	noSecret(t, err)
	wantContains(t, "the dial", err, "the RoundTripper of the HTTPClient could not read the answer")
}

// Each line of a header counts for 32 bytes more than it has, which is what short
// ones take at least when they are kept.
func TestHeaderOfManyLines(t *testing.T) {
	for _, tt := range []struct {
		lines int
		ok    bool
	}{{100, true}, {110, false}} {
		text := "HTTP/1.1 101 Yes\r\n" + strings.Repeat("X:\r\n", tt.lines) + "\r\n"
		_, err := (&head{r: bufio.NewReader(strings.NewReader(text)), left: 100*(4+lineOverhead) + 40}).answer()
		if tt.ok != (err == nil) || !tt.ok && !errors.Is(err, errHeaderTooLarge) {
			t.Errorf("%d lines: %v", tt.lines, err)
		}
	}
}
