package dial

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A good answer, line by line; {accept} stands for the right key.
const (
	statusLine = "HTTP/1.1 101 Switching Protocols\r\n"
	upgrade    = "Upgrade: websocket\r\n"
	connection = "Connection: Upgrade\r\n"
	accepted   = "Sec-WebSocket-Accept: {accept}\r\n"
	good       = statusLine + upgrade + connection + accepted
)

// A scripted server answers each opening handshake with the same bytes and
// keeps all that the client sends.
type scripted struct {
	answer string
	first  string // the answer to the first request, if it is another
	piece  int    // how many bytes are written at a time; 0: all
	visits []*visit
}

// A visit is one connection to a scripted server.
type visit struct {
	address string // that was dialed
	request string // byte by byte
	behind  []byte // what came behind it, once gone is closed
	gone    chan struct{}
}

// options are the caller's, with connections to the server.
func (s *scripted) options(t testing.TB, opts *Options) *Options {
	if opts == nil {
		opts = &Options{Operators: none}
	}
	opts.DialContext = func(_ context.Context, _, address string) (net.Conn, error) {
		return pipeTo(t, s.visited(address)), nil
	}
	return opts
}

// visited returns what serves the next connection.
func (s *scripted) visited(address string) script {
	v := &visit{address: address, gone: make(chan struct{})}
	s.visits = append(s.visits, v)
	answer := s.answer
	if s.first != "" && len(s.visits) == 1 {
		answer = s.first
	}
	return func(c net.Conn, br *bufio.Reader) {
		defer close(v.gone)
		var err error
		if v.request, err = readHead(br); err == nil {
			write(c, strings.ReplaceAll(answer, "{accept}", acceptOf(one(v.request, "Sec-WebSocket-Key"))), s.piece)
			v.behind, _ = io.ReadAll(br)
		}
	}
}

// last returns the last connection, once the client has gone.
func (s *scripted) last() *visit {
	v := s.visits[len(s.visits)-1]
	<-v.gone
	return v
}

// write writes the text in pieces.
func write(w io.Writer, text string, piece int) {
	if piece == 0 {
		piece = max(1, len(text))
	}
	for part := range slices.Chunk([]byte(text), piece) {
		if _, err := w.Write(part); err != nil {
			return
		}
	}
}

// readHead reads up to the empty line.
func readHead(br *bufio.Reader) (string, error) {
	var head strings.Builder
	for {
		line, err := br.ReadString('\n')
		head.WriteString(line)
		if err != nil || line == "\r\n" {
			return head.String(), err
		}
	}
}

func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// values returns those of a header field in a request, one for each line that
// has it.
func values(request, name string) (all []string) {
	for line := range strings.SplitSeq(request, "\r\n") {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(key, name) {
			all = append(all, strings.Trim(value, " \t"))
		}
	}
	return all
}

// one returns the value of a header field that stands once, or else "".
func one(request, name string) string {
	if all := values(request, name); len(all) == 1 {
		return all[0]
	}
	return ""
}

// opens dials the server, which must open the connection. The server's answer
// ends with what is in frames: a text "hi" and a Close.
func (s *scripted) opens(t *testing.T, url string, opts *Options) *stream.Conn {
	t.Helper()
	s.answer += frames
	conn, err := Dial(t.Context(), url, s.options(t, opts))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for m, err := range conn.All(t.Context()) {
		if err != nil {
			t.Fatalf("after %q: %v", got, err)
		}
		got = append(got, string(m.Data))
	}
	want(t, "the messages", got, "[hi]")
	conn.CloseNow(nil)
	if behind := s.last().behind; !strings.HasPrefix(string(behind), "\x88\x82") {
		t.Errorf("behind the request came % x, want a masked Close", behind)
	}
	return conn
}

// fails dials the server, which must not open the connection: "_Fail the
// WebSocket Connection_" means here that it is closed and that nothing is sent.
func (s *scripted) fails(t *testing.T, url string, opts *Options) *HandshakeError {
	t.Helper()
	conn, err := Dial(t.Context(), url, s.options(t, opts))
	if conn != nil {
		conn.CloseNow(nil)
		t.Fatal("the connection was opened")
	}
	var refused *HandshakeError
	if !errors.As(err, new(*result.ConnectionFailed)) || !errors.As(err, &refused) {
		t.Fatalf("Dial ended with %v, want a *result.ConnectionFailed around a *HandshakeError", err)
	}
	if behind := s.last().behind; len(behind) > 0 {
		t.Errorf("behind the request came % x", behind)
	}
	return refused
}
