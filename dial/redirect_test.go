package dial

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

func redirect(to string) string {
	return "HTTP/1.1 302 Found\r\nLocation: " + to + "\r\nContent-Length: 0\r\n\r\n"
}

func TestRedirectsAreFollowed(t *testing.T) {
	for _, scheme := range []string{"", "ws://", "http://"} {
		addr := ""
		addr = listen(t, answers(func(r *http.Request) string {
			switch {
			case r.URL.Path == "/there":
				return agree(r)
			case scheme == "":
				return redirect("/there")
			}
			return redirect(scheme + addr + "/there")
		}))
		mustConnect(t, "ws://"+addr+"/here", nil)
	}
}

func TestRedirectsEnd(t *testing.T) {
	for redirects, ok := range map[int64]bool{10: true, 11: false} {
		var asked atomic.Int64
		addr := listen(t, answers(func(r *http.Request) string {
			if n := asked.Add(1); n <= redirects {
				return redirect(fmt.Sprintf("/%d", n))
			}
			return agree(r)
		}))
		_, err := connect(t, "ws://"+addr, nil)
		if ok && err != nil {
			t.Errorf("%d redirects: %v", redirects, err)
		}
		if !ok {
			wantContains(t, "one redirect more", err, "302 Found: more than 10 redirects")
			want(t, "the number of requests", asked.Load(), 11)
		}
	}
}

func TestRedirectsThatAreRefused(t *testing.T) {
	self := served(issue(t, "self", nil, forServer))
	plain := listen(t, answers(agree))
	for to, says := range map[string]string{
		"http://" + plain:            "from TLS to none",
		"ws://" + plain:              "from TLS to none",
		"ftp://" + plain:             "neither ws, wss, http nor https",
		"ws+unix:///tmp/socket":      "neither ws, wss, http nor https",
		"https://u:hunter2@host:no/": "does not parse",
	} {
		var asked atomic.Int64
		addr := secureListen(t, self, answers(func(*http.Request) string {
			asked.Add(1)
			return redirect(to)
		}))
		err := refusal(t, "wss://"+addr, &Options{TLS: AllowSelfSigned})
		wantContains(t, "a redirect to "+to, err, "302 Found: ", says)
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows a password: %v", err)
		}
		want(t, "the number of requests", asked.Load(), 1)
	}
}

// Two hosts, both on this machine.
func TestRedirectToAnotherHost(t *testing.T) {
	there := make(chan *http.Request, 1)
	second := listen(t, answers(func(r *http.Request) string {
		there <- r
		return agree(r)
	}))
	_, port, _ := net.SplitHostPort(second)
	here := make(chan *http.Request, 1)
	first := listen(t, answers(func(r *http.Request) string {
		here <- r
		return "HTTP/1.1 302 Found\r\nSet-Cookie: jar=first; Path=/\r\nLocation: ws://localhost:" + port + "/there\r\nContent-Length: 0\r\n\r\n"
	}))
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	mustConnect(t, "ws://user:hunter2@"+first+"/here?token=hunter2", &Options{
		HTTPClient: &http.Client{Jar: jar},
		Header:     http.Header{"Cookie": {"id=hunter2"}, "X-Client": {"test"}},
	})
	r := <-here
	want(t, "the first Authorization", r.Header.Get("Authorization"), "Basic dXNlcjpodW50ZXIy")
	want(t, "the first Cookie", r.Header.Get("Cookie"), "id=hunter2")
	r = <-there
	want(t, "the second X-Client", r.Header.Get("X-Client"), "test")
	for _, key := range []string{"Authorization", "Cookie", "Referer"} {
		want(t, "the second "+key, r.Header.Get(key), "")
	}
	mustConnect(t, "ws://"+first+"/here", &Options{HTTPClient: &http.Client{Jar: jar}, Header: http.Header{"Referer": {"mine"}}})
	want(t, "the cookie from the jar", (<-here).Header.Get("Cookie"), "jar=first")
	want(t, "the caller's Referer", (<-there).Header.Get("Referer"), "mine")
}

// What fails before the second request is sent is no answer to the first.
func TestRedirectThatCannotBeAsked(t *testing.T) {
	addr := listen(t, answers(func(*http.Request) string { return redirect("http:///there") }))
	_, err := connect(t, "ws://"+addr, nil)
	wantContains(t, "a redirect to no host", err, starting.String(), "no Host")

	addr = listen(t, answers(func(*http.Request) string { return redirect("/there") }))
	no := errors.New("no proxy for that")
	second := func(u *url.URL, err error) *Options {
		return &Options{Proxy: func(r *http.Request) (*url.URL, error) {
			if r.URL.Path != "/there" {
				return nil, nil
			}
			return u, err
		}}
	}
	if _, err := connect(t, "ws://"+addr, second(nil, no)); !errors.Is(err, no) {
		t.Errorf("the dial ended with %v, want %v", err, no)
	}
	wantContains(t, "Dial", refusedArgument(t, "ws://"+addr, second(&url.URL{Scheme: "ftp", Host: "a.test"}, nil)), `Proxy is "ftp:"`)
}

// To net/http another host is one that is neither the same nor a subdomain.
func TestRedirectTakesHeadersAlong(t *testing.T) {
	for to, taken := range map[string]bool{
		"a.test:81":   true,
		"b.a.test":    true,
		"b.test":      false,
		"test":        false,
		"ba.test":     false,
		"a.test.test": false,
	} {
		s := &scripted{first: redirect("ws://" + to), answer: good + "\r\n"}
		s.opens(t, "ws://a.test", &Options{Operators: none, Header: http.Header{"Authorization": {"Bearer a"}, "Cookie": {"b=c"}}})
		for _, key := range []string{"Authorization", "Cookie"} {
			want(t, key+" at "+to, len(values(s.last().request, key)) > 0, taken)
		}
	}
}

// "The nonce MUST be selected randomly for each connection": for each that a
// redirect leads to as well, and only the answer to the last one counts.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
func TestRedirectHasItsOwnKey(t *testing.T) {
	s := &scripted{first: redirect("ws://b.test"), answer: good + "\r\n"}
	s.opens(t, "ws://a.test", nil)
	first, second := one(s.visits[0].request, "Sec-WebSocket-Key"), one(s.visits[1].request, "Sec-WebSocket-Key")
	if first == "" || second == "" || first == second {
		t.Errorf("the keys are %q and %q", first, second)
	}
	key := ""
	addr := listen(t, answers(func(r *http.Request) string {
		if r.URL.Path != "/there" {
			key = r.Header.Get("Sec-WebSocket-Key")
			return redirect("/there")
		}
		return agreement(r, func(h http.Header) { h.Set("Sec-WebSocket-Accept", acceptOf(key)) })
	}))
	err := refusal(t, "ws://"+addr, nil)
	wantContains(t, "an answer to the first key", err, "Sec-WebSocket-Accept")
	want(t, "the header", err.Header.Get("Sec-WebSocket-Accept"), acceptOf(key))
}

func TestCallersCheckRedirect(t *testing.T) {
	addr := listen(t, answers(func(*http.Request) string { return redirect("/there") }))
	no := errors.New("not there")
	for _, tt := range []struct {
		answer error
		says   string
	}{
		{no, "302 Found: not there"},
		{http.ErrUseLastResponse, "refused the opening handshake with 302 Found"},
	} {
		err := refusal(t, "ws://"+addr, &Options{HTTPClient: &http.Client{
			CheckRedirect: func(*http.Request, []*http.Request) error { return tt.answer },
		}})
		wantContains(t, "the redirect", err, tt.says)
	}
}
