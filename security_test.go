package wsflow_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

const (
	kib = 1 << 10
	mib = 1 << 20
)

// staysUnder runs f and holds the growth of the heap meanwhile against a limit.
// What counts is memory in use, garbage included, of which the collector leaves
// little here, and of both ends of the connection.
func staysUnder(t *testing.T, limit int64, f func(t *testing.T)) {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	base := heapInUse(true)
	var most atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		every := time.NewTicker(time.Millisecond)
		defer every.Stop()
		for {
			most.Store(max(most.Load(), heapInUse(false)))
			select {
			case <-stop:
				return
			case <-every.C:
			}
		}
	}()
	f(t)
	close(stop)
	<-stopped
	grown := max(most.Load(), heapInUse(false)) - base
	t.Logf("the heap grew by %d KiB, the limit is %d KiB", grown/kib, limit/kib)
	if grown > limit {
		t.Errorf("the heap grew by %d KiB, more than %d KiB", grown/kib, limit/kib)
	}
}

func heapInUse(collected bool) int64 {
	if collected {
		runtime.GC()
		runtime.GC() // what pools had
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

// endlessly writes a text until nobody takes it any more, or until that would
// have filled any memory.
func endlessly(w io.Writer, text string) {
	text = strings.Repeat(text, 1+32*kib/len(text))
	for n := 0; n < volume(); {
		k, err := io.WriteString(w, text)
		if n += k; err != nil {
			return
		}
	}
}

// volume is how much a flood sends: far more than any limit of these tests.
func volume() int {
	switch {
	case raceDetector():
		return 48 * mib
	case testing.Short():
		return 96 * mib
	}
	return 256 * mib
}

// An injector is an operator that offers whatever it is told.
type injector struct{ offer string }

func (i injector) Attach(*stream.Link) (stream.Hooks, error)     { return stream.Hooks{}, nil }
func (i injector) Offers() []string                              { return []string{i.offer} }
func (i injector) Accept(answer string) (stream.Operator, error) { return i, nil }

// No text that a caller hands on can end its line in the handshake: CR, LF and
// NUL are refused before any I/O, wherever they stand.
func TestInjectionIsRefused(t *testing.T) {
	const url = "ws://a.test"
	places := map[string]func(evil string) (string, *dial.Options){
		"header key": func(evil string) (string, *dial.Options) { return url, &dial.Options{Header: http.Header{evil: {"v"}}} },
		"header value": func(evil string) (string, *dial.Options) {
			return url, &dial.Options{Header: http.Header{"K": {"v", evil}}}
		},
		"Host":        func(evil string) (string, *dial.Options) { return url, &dial.Options{Host: evil} },
		"Host's port": func(evil string) (string, *dial.Options) { return url, &dial.Options{Host: "a.test:8" + evil} },
		"subprotocol": func(evil string) (string, *dial.Options) {
			return url, &dial.Options{Subprotocols: []string{"a", evil}}
		},
		"operator":      func(evil string) (string, *dial.Options) { return url, offering(evil) },
		"parameter":     func(evil string) (string, *dial.Options) { return url, offering("x; a=" + evil) },
		"quoted":        func(evil string) (string, *dial.Options) { return url, offering(`x; a="` + evil + `"`) },
		"scheme":        func(evil string) (string, *dial.Options) { return "ws" + evil + "://a.test", nil },
		"user":          func(evil string) (string, *dial.Options) { return "ws://" + evil + "@a.test", nil },
		"password":      func(evil string) (string, *dial.Options) { return "ws://u:" + evil + "@a.test", nil },
		"URL's host":    func(evil string) (string, *dial.Options) { return "ws://" + evil + ".test", nil },
		"URL's port":    func(evil string) (string, *dial.Options) { return "ws://a.test:8" + evil, nil },
		"path":          func(evil string) (string, *dial.Options) { return url + "/" + evil, nil },
		"query":         func(evil string) (string, *dial.Options) { return url + "/?" + evil, nil },
		"socket":        func(evil string) (string, *dial.Options) { return "ws+unix:///run/" + evil + ":/", nil },
		"socket's path": func(evil string) (string, *dial.Options) { return "ws+unix:///run/a:/" + evil, nil },
	}
	for place, put := range places {
		for _, line := range []string{"\r\nX: y", "\nX: y", "\rX: y", "\x00X"} {
			for _, evil := range []string{line, "a" + line, "a" + line[:1]} {
				url, opts := put(evil)
				refusesBeforeIO(t, fmt.Sprintf("%s %q", place, evil), url, opts)
			}
		}
	}
}

func offering(offer string) *dial.Options {
	return &dial.Options{Operators: []stream.Operator{injector{offer}}}
}

func refusesBeforeIO(t *testing.T, what, url string, opts *dial.Options) {
	t.Helper()
	all := dial.Options{}
	if opts != nil {
		all = *opts
	}
	all.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		t.Errorf("%s: something was dialed", what)
		return nil, errors.New("nothing is to be dialed")
	}}}
	conn, err := dial.Dial(t.Context(), url, &all)
	var argument *result.ArgumentError
	if conn != nil || !errors.As(err, &argument) {
		t.Errorf("%s: Dial returns %v and %v, want an ArgumentError", what, conn, err)
	}
}

// What is escaped in a URL arrives escaped, or encoded, in lines of its own.
func TestEscapedLinesStayEscaped(t *testing.T) {
	got := make(chan *http.Request, 1)
	host := unfriendly(t, func(_ net.Conn, req *http.Request) { got <- req })
	const evil = "a%0D%0AX=%20y%00"
	dialFails(t, "ws://u"+evil+":p"+evil+"@"+host+"/"+evil+"?"+evil, nil)
	req := <-got
	if req.RequestURI != "/"+evil+"?"+evil {
		t.Errorf("the request is for %q", req.RequestURI)
	}
	if user, password, _ := req.BasicAuth(); user != "ua\r\nX= y\x00" || password != "pa\r\nX= y\x00" {
		t.Errorf("the user is %q, the password %q", user, password)
	}
	for key := range req.Header {
		if strings.HasPrefix(key, "X") {
			t.Errorf("the header has %q", key)
		}
	}
}

// The secrets of a connection: whatever is in here must be in no log and in no
// error. Errors of the handshake have tests in package dial.
var secrets = []string{"pass-word", "tok-en", "coo-kie", "bear-er", "jar-red", "pro-xy"}

// hidesSecrets looks for secrets as they are, quoted, and as Basic
// authorization.
func hidesSecrets(t *testing.T, where, s string) {
	t.Helper()
	encoded := base64.StdEncoding.EncodeToString([]byte("user:" + secrets[0]))
	for _, secret := range append(secrets, encoded) {
		if strings.Contains(s, secret) {
			t.Errorf("%s shows %q: %s", where, secret, s)
		}
	}
}

// A journal is a log in memory.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// secretive returns a URL and options that are full of secrets, and the log
// that they lead to.
func secretive(t *testing.T, server string) (string, *dial.Options, *journal) {
	t.Helper()
	log := new(journal)
	core := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewDevelopmentEncoderConfig()), zapcore.AddSync(log), zapcore.DebugLevel)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(server, "http://")
	jar.SetCookies(&url.URL{Scheme: "http", Host: host}, []*http.Cookie{{Name: "id", Value: "jar-red"}})
	return "ws://user:pass-word@" + host + "/tok-en?t=tok-en", &dial.Options{
		HTTPClient:   &http.Client{Jar: jar},
		Header:       http.Header{"Cookie": {"c=coo-kie"}, "X-Token": {"bear-er"}},
		Logger:       zap.New(core),
		CloseTimeout: time.Second,
	}, log
}

// Neither what a connection logs in its life nor how it ends shows a secret.
func TestLogsHideSecrets(t *testing.T) {
	url, opts, log := secretive(t, serve(t, func(ctx context.Context, c *websocket.Conn) {
		c.Write(ctx, websocket.MessageText, []byte("nobody listens for text"))
		c.Read(ctx)
		c.CloseNow()
	}))
	promise := dial.Connect(t.Context(), url, func(c *stream.Conn) error {
		c.OnBinary(func([]byte) {})
		sink := c.Sink(t.Context(), nil)
		sink <- stream.Message{Type: stream.Text, Data: []byte("\xff")}
		sink <- stream.Message{Type: stream.Text, Data: []byte("go")}
		close(sink)
		panic("onReady")
	}, opts)
	_, err := promise.Wait(t.Context())
	for _, says := range []string{"no listener", "cannot be sent", "panicked"} {
		if !strings.Contains(log.String(), says) {
			t.Errorf("the log does not tell of what it should, %q: %s", says, log)
		}
	}
	hidesSecrets(t, "the log", log.String())
	hidesSecrets(t, "the error", fmt.Sprintf("%v %+v", err, err))
}

// A failed dial logs nothing that its error would not show, and neither shows a
// secret, through a proxy either.
func TestFailuresHideSecrets(t *testing.T) {
	refuse := func(c net.Conn, req *http.Request) {
		fmt.Fprintf(c, "HTTP/1.1 403 %s\r\nSet-Cookie: %s\r\n\r\n%s", "tok-en", req.Header.Get("Cookie"), req.RequestURI)
	}
	host := unfriendly(t, refuse)
	for name, proxy := range map[string]*url.URL{
		"no proxy": nil,
		"proxy":    {Scheme: "http", Host: host, User: url.UserPassword("user", "pro-xy")},
	} {
		target, opts, log := secretive(t, host)
		opts.Proxy = http.ProxyURL(proxy)
		_, err := dial.Connect(t.Context(), target, func(*stream.Conn) error { return nil }, opts).Wait(t.Context())
		var refused *dial.HandshakeError
		if !errors.As(err, &refused) || refused.StatusCode != 403 {
			t.Errorf("%s: it ended with %v", name, err)
		}
		hidesSecrets(t, name+": the error", err.Error())
		hidesSecrets(t, name+": the log", log.String())
	}
}
