package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEcho(t *testing.T) {
	s, url := serve(t, httptest.NewServer)
	r := wscat(strings.NewReader("hello\r\n\nwörld"), "-H", "X-Color: red", "-H", "x-color:blue", "-H", "host: example.com",
		"-s", "first", "-s", "second", url)
	r.want(t, 0, "hello\n\nwörld\n", "")

	v := <-s.visits
	want(t, "the header", strings.Join(v.request.Header["X-Color"], " "), "red blue")
	want(t, "the host", v.request.Host, "example.com")
	want(t, "the offer", v.request.Header.Get("Sec-WebSocket-Protocol"), "first,second")
	want(t, "the subprotocol", v.subprotocol, "second")
	want(t, "the close code", v.code, 1000)
}

func TestBinary(t *testing.T) {
	_, url := serve(t, httptest.NewServer)
	wscat(strings.NewReader("binary\nx\n"), url).want(t, 0, "binary 00610aff\nx\n", "")
	wscat(strings.NewReader("binary\nx\n"), "-raw", url).want(t, 0, "\x00a\n\xffx\n", "")
}

// The server's refusal ends the program, though the input goes on.
func TestRefusal(t *testing.T) {
	_, url := serve(t, httptest.NewServer)
	wscat(typed(t, "hello\nrefuse\n"), url).
		want(t, 1, "hello\n", "wscat: wsflow: closed with code 4001, reason \"not you\"\n")
}

func TestForbidden(t *testing.T) {
	_, url := serve(t, httptest.NewServer)
	wscat(typed(t, ""), url+"/forbidden").want(t, 1, "", "wscat: wsflow: connection failed: ", "403")
}

// An interrupt closes the connection, though the input goes on.
func TestInterrupt(t *testing.T) {
	s, url := serve(t, httptest.NewServer)
	ctx, interrupt := context.WithCancel(t.Context())
	var r outcome
	r.status = run(ctx, []string{url}, typed(t, "hello\n"), io.MultiWriter(&r.stdout, writer(func(p []byte) (int, error) {
		interrupt()
		return len(p), nil
	})), &r.stderr)
	r.want(t, 0, "hello\n", "")
	want(t, "the close code", (<-s.visits).code, 1000)
}

func TestCertificate(t *testing.T) {
	_, url := serve(t, quietTLS)
	wscat(strings.NewReader("x\n"), url).want(t, 1, "", "wscat: wsflow: connection failed: ", "certificate", "(-k would forgive this)")
	wscat(strings.NewReader("x\n"), "-k", url).want(t, 0, "x\n", "")
	o, err := parse([]string{"-k", url}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "what -k forgives", o.dial.TLS.String(), "AllowSelfSigned|AllowUnknownAuthority|AllowExpired|SkipHostnameCheck")
}

// What is no text cannot be sent as such. The rest is.
func TestNotUTF8(t *testing.T) {
	_, url := serve(t, httptest.NewServer)
	wscat(strings.NewReader("a\n\xff\nb\n"), url).
		want(t, 0, "a\nb\n", "a message in a sink cannot be sent ", "valid UTF-8")
}

func TestBrokenInput(t *testing.T) {
	_, url := serve(t, httptest.NewServer)
	wscat(iotest.ErrReader(errors.New("on purpose")), url).
		want(t, 1, "", "wscat: standard input cannot be read: on purpose\n")
}

func TestBrokenOutput(t *testing.T) {
	_, url := serve(t, httptest.NewServer)
	var r outcome
	broken := writer(func([]byte) (int, error) { return 0, errors.New("on purpose") })
	r.status = run(t.Context(), []string{url}, typed(t, "x\n"), broken, &r.stderr)
	r.want(t, 1, "", "wscat: on purpose\n")
}

func TestUsage(t *testing.T) {
	const url = "ws://127.0.0.1:1"
	for _, c := range []struct {
		args []string
		says string
	}{
		{nil, "wscat: there are 0 arguments after the flags: allowed is one, the URL\nusage: "},
		{[]string{url, url}, "wscat: there are 2 arguments after the flags: allowed is one, the URL\nusage: "},
		{[]string{"-x", url}, "flag provided but not defined: -x\nusage: "},
		{[]string{"-H", "color", url}, "invalid value \"color\" for flag -H: there is no colon in it: allowed is 'Key: value'\nusage: "},
		{[]string{"-H", "two words: x", url}, `wscat: -H is "two words"`},
		{[]string{"-H", "Upgrade: x", url}, `wscat: -H is "Upgrade"`},
		{[]string{"-H", "A: x\ny", url}, `wscat: -H["A"][0]: allowed is no control characters`},
		{[]string{"-H", "Host: a b", url}, `wscat: -H Host is "a b"`},
		{[]string{"-s", "", url}, `wscat: -s[0] is ""`},
		{[]string{"-k", url}, "wscat: -k is "},
		{[]string{"gopher://127.0.0.1:1"}, "wscat: dial: url is "},
		{[]string{""}, `wscat: dial: url is "": allowed is ws://host`},
	} {
		r := wscat(strings.NewReader(""), c.args...)
		if r.status != 2 || r.stdout.Len() > 0 || !strings.HasPrefix(r.stderr.String(), c.says) {
			t.Errorf("%q gives %d, %q and %q; want 2, nothing and %q", c.args, r.status, r.stdout.String(), r.stderr.String(), c.says)
		}
	}
}

func TestHelp(t *testing.T) {
	wscat(strings.NewReader(""), "-h").want(t, 0, "", "usage: wscat [flags] URL\n", "-H 'Key: value'", "-raw", "-s NAME")
}

// An outcome is what the program leaves behind.
type outcome struct {
	stdout, stderr bytes.Buffer
	status         int
}

func wscat(stdin io.Reader, args ...string) *outcome {
	var r outcome
	r.status = run(context.Background(), args, stdin, &r.stdout, &r.stderr)
	return &r
}

// want checks all. Standard error is the one part given, or has all of them in
// it.
func (r *outcome) want(t *testing.T, status int, stdout string, stderr ...string) {
	t.Helper()
	want(t, "the exit status", r.status, status)
	want(t, "standard output", r.stdout.String(), stdout)
	if len(stderr) == 1 {
		want(t, "standard error", r.stderr.String(), stderr[0])
		return
	}
	for _, part := range stderr {
		if !strings.Contains(r.stderr.String(), part) {
			t.Errorf("standard error is %q, want %q in it", r.stderr.String(), part)
		}
	}
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %#v, want %#v", what, got, want)
	}
}

// typed is an input that does not end before the test.
func typed(t *testing.T, text string) io.Reader {
	r, w := io.Pipe()
	t.Cleanup(func() { w.Close() })
	return io.MultiReader(strings.NewReader(text), r)
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// quietTLS starts a server with a certificate that is not trusted, and does not
// log that it was not.
func quietTLS(h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	return s
}
