package dial

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Dials that end early, in each phase, leave neither goroutines nor
// descriptors.
func TestEndedDialsLeaveNothing(t *testing.T) {
	self := served(issue(t, "self", nil, forServer))
	quiet := listen(t, silence)
	agreeing, secure := listen(t, answers(agree)), quietListen(t, self)
	refuse := func(status string) script {
		return answers(func(*http.Request) string { return "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n" })
	}
	type arguments struct {
		url  string
		opts *Options
	}
	cases := map[string]arguments{
		"connecting":          {"ws://a.test", &Options{DialContext: stuck}},
		"TLS":                 {"wss://" + quiet, &Options{}},
		"TLS refused":         {"wss://" + secure, &Options{}},
		"tunnel":              {"ws://a.test", &Options{Proxy: fixed("http", quiet)}},
		"TLS tunnel":          {"wss://a.test", &Options{Proxy: fixed("http", quiet)}},
		"tunnel refused":      {"ws://a.test", &Options{Proxy: fixed("http", listen(t, refuse("407 No")))}},
		"proxy's TLS":         {"ws://a.test", &Options{Proxy: fixed("https", quiet)}},
		"proxy's TLS refused": {"ws://a.test", &Options{Proxy: fixed("https", secure)}},
		"SOCKS":               {"wss://a.test", &Options{Proxy: fixed("socks5", quiet)}},
		"no answer":           {"ws://" + quiet, &Options{}},
		"dripping":            {"ws://" + listen(t, stalling), &Options{}},
		"wss":                 {"wss://" + secure, &Options{TLS: AllowSelfSigned}},
		"agreement":           {"ws://" + agreeing, &Options{}},
		"agreement, wrapped":  {"ws://" + agreeing, &Options{HTTPClient: &http.Client{Transport: wrapping{}}}},
		"refusal":             {"ws://" + listen(t, refuse("403 No")), &Options{}},
		"broken 101":          {"ws://" + listen(t, refuse("101 Yes")), &Options{}},
	}
	goroutines := goleak.IgnoreCurrent()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which would close what was left
	files, canTell := descriptors()
	for name, c := range cases {
		endEarly(t, name, c.url, c.opts)
	}
	if err := goleak.Find(goroutines); err != nil {
		t.Error(err)
	}
	if canTell {
		closesAll(t, files)
	}
}

// closesAll waits until no more than so many descriptors are open: the servers of the
// test may still have to accept connections that have ended.
func closesAll(t *testing.T, files int) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	patience := time.After(30 * time.Second)
	for {
		after, _ := descriptors()
		if after <= files {
			return
		}
		select {
		case <-tick.C:
		case <-patience:
			t.Errorf("there were %d descriptors before, now there are %d", files, after)
			return
		}
	}
}

// quietListen is wss, and silent once TLS stands.
func quietListen(t *testing.T, cert tls.Certificate) string { return secureListen(t, cert, silence) }

// stuck dials until the context ends.
func stuck(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// stalling sends half an answer.
func stalling(c net.Conn, br *bufio.Reader) {
	if req, err := http.ReadRequest(br); err == nil {
		text := agree(req)
		io.WriteString(c, text[:len(text)-2])
	}
	io.Copy(io.Discard, br)
}

// endEarly dials many times at once; half of the dials time out, and half are
// cancelled, at moments that differ.
func endEarly(t *testing.T, name, url string, opts *Options) {
	const dials = 20
	var all sync.WaitGroup
	for i := range dials {
		all.Go(func() {
			after := time.Duration(i) * time.Millisecond / 2
			own := *opts
			own.HandshakeTimeout = time.Hour
			if i%2 == 0 {
				own.HandshakeTimeout = after + 1
			}
			d, err := newDialer(url, &own)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer time.AfterFunc(after, cancel).Stop()
			if e, err := d.connect(ctx); err == nil {
				e.rwc.Close()
			}
		})
	}
	all.Wait()
}
