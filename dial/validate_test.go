package dial

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// untouched fails the test if anything is dialed.
func untouched(t *testing.T) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		t.Error("something was dialed")
		return nil, errors.New("nothing is to be dialed")
	}}}
}

// refusedArgument dials with arguments that must be refused.
func refusedArgument(t *testing.T, url string, opts *Options) error {
	t.Helper()
	conn, err := Dial(t.Context(), url, opts)
	if _, ok := err.(*result.ArgumentError); conn != nil || !ok {
		t.Fatalf("Dial(%q) gives %v, %v, want a *result.ArgumentError", url, conn, err)
	}
	return err
}

var noContext context.Context

func TestNoContext(t *testing.T) {
	_, err := Dial(noContext, "ws://example.com", &Options{HTTPClient: untouched(t)})
	if arg := new(result.ArgumentError); !errors.As(err, &arg) || arg.Name != "dial: ctx" {
		t.Errorf("Dial without a context gives %v", err)
	}
}

func TestBadURLs(t *testing.T) {
	for url, says := range map[string]string{
		"":                             `url is ""`,
		"example.com":                  "no scheme",
		"//example.com":                "no scheme",
		"ftp://example.com":            `"ftp:"`,
		"ws:example.com":               "ws://host",
		"ws://":                        "ws://host",
		"ws:///path":                   "ws://host",
		"ws://:80":                     "ws://host",
		"ws://example.com:0":           "port",
		"ws://example.com:65536":       "port",
		"ws://example.com:http":        "does not parse",
		"ws://exam ple.com":            "does not parse",
		"ws://[::1":                    "does not parse",
		"ws://example.com/%zz":         "does not parse",
		"ws://example.com/\x00":        "does not parse",
		"ws://example.com/#top":        "fragment",
		"ws://example.com/#":           "fragment",
		"wss://example.com/?a#b":       "fragment",
		"ws+unix://host/socket":        "ws+unix",
		"ws+unix://":                   "ws+unix",
		"ws+unix:///":                  "ws+unix",
		"ws+unix:socket":               "ws+unix",
		"ws+unix:///socket:resource":   "ws+unix",
		"ws+unix:///socket:":           "ws+unix",
		"ws+unix:///soc%00ket:/a":      "ws+unix",
		"ws://user:hunter2@host:port/": "does not parse",
	} {
		t.Run(url, func(t *testing.T) {
			err := refusedArgument(t, url, &Options{HTTPClient: untouched(t)})
			wantContains(t, "Dial", err, "dial: url", says)
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

func TestTargets(t *testing.T) {
	for raw, w := range map[string]struct{ url, socket string }{
		"ws://example.com":                 {"http://example.com", ""},
		"WSS://Example.com:8443/a?b=c":     {"https://Example.com:8443/a?b=c", ""},
		"http://[::1]:80/":                 {"http://[::1]/", ""},
		"https://u:p@[fe80::1%25lo]/":      {"https://u:p@[fe80::1%25lo]/", ""},
		"ws://example.com/%23":             {"http://example.com/%23", ""},
		"ws+unix:///run/a.sock":            {"http://localhost", "/run/a.sock"},
		"ws+unix:///run/a.sock:/b%2Fc?d":   {"http://localhost/b%2Fc?d", "/run/a.sock"},
		"ws+unix:///run/a%3Ab.sock:/c:/d":  {"http://localhost/c:/d", "/run/a:b.sock"},
		"ws+unix://u:p@/run/a.sock:/":      {"http://u:p@localhost/", "/run/a.sock"},
		"ws+unix:///run/a%3Ab:/p q":        {"http://localhost/p%20q", "/run/a:b"},
		"ws+unix:///run/a%3Ab:/\u00e4":     {"http://localhost/%C3%A4", "/run/a:b"},
		"ws+unix:///run/a%3Ab:/%C3%A4":     {"http://localhost/%C3%A4", "/run/a:b"},
		"ws+unix:///run/a%3Ab:/a%2Fb c?d":  {"http://localhost/a%2Fb%20c?d", "/run/a:b"},
		"ws+unix:///run/a%3Ab:/p?q=\u00e4": {"http://localhost/p?q=%C3%A4", "/run/a:b"},
		"ws+unix:///run/a b%3Ac":           {"http://localhost", "/run/a b:c"},
		"ws+unix:///run/\u00e4%3Ab:/c":     {"http://localhost/c", "/run/\u00e4:b"},
		"ws://example.com/a%2Fb c":         {"http://example.com/a%2Fb%20c", ""},
		"ws://example.com/a%3Ab/\u00e4":    {"http://example.com/a%3Ab/%C3%A4", ""},
	} {
		got, err := parseTarget(raw)
		if err != nil {
			t.Errorf("%q: %v", raw, err)
			continue
		}
		want(t, raw, got.url.String()+" "+got.socket, w.url+" "+w.socket)
	}
}

// A faulty operator has bad options.
type faulty struct{ plain }

func (faulty) Validate() error {
	return &result.ArgumentError{Name: "faulty", Value: 1, Allowed: "2"}
}

func TestBadOptions(t *testing.T) {
	header := func(key string, values ...string) *Options {
		return &Options{Header: http.Header{key: values}}
	}
	for says, opts := range map[string]*Options{
		`Header is "Connection"`:               header("Connection", "close"),
		`Header is "UPGRADE"`:                  header("UPGRADE", "h2c"),
		`Header is "sec-websocket-key"`:        header("sec-websocket-key", "a"),
		`Header is "Sec-WebSocket-Protocol"`:   header("Sec-WebSocket-Protocol", "a"),
		`Header is "Sec-Websocket-Anything"`:   header("Sec-Websocket-Anything", "a"),
		`Header is "Content-Length"`:           header("Content-Length", "5"),
		`Header is "transfer-encoding"`:        header("transfer-encoding", "chunked"),
		`Header is "Trailer"`:                  header("Trailer", "a"),
		`Header is "hOST"`:                     header("hOST", "example.com"),
		`dial.Options.Host sets the host`:      header("Host", "example.com"),
		`Header is ""`:                         header("", "a"),
		`Header is "a b"`:                      header("a b", "a"),
		`Header is "a\r\nb"`:                   header("a\r\nb", "a"),
		`Header["X"][1]`:                       header("X", "ok", "a\r\nCookie: b"),
		`Header["Y"][0]`:                       header("Y", "a\nb"),
		`Header["Z"][0]`:                       header("Z", "a\x00b"),
		`Header["V"][0]`:                       header("V", "a\rb"),
		`Header["W"][0]`:                       header("W", "a\x7fb"),
		`Host is "a b"`:                        {Host: "a b"},
		`Host is "example.com/path"`:           {Host: "example.com/path"},
		`Host is "u@example.com"`:              {Host: "u@example.com"},
		`Host is ":80"`:                        {Host: ":80"},
		`Host is "a\r\nb"`:                     {Host: "a\r\nb"},
		`Host is "a\"b"`:                       {Host: `a"b`},
		`Host is "<a>"`:                        {Host: "<a>"},
		`Subprotocols[0] is ""`:                {Subprotocols: []string{""}},
		`Subprotocols[1] is "a b"`:             {Subprotocols: []string{"a", "a b"}},
		`Subprotocols[0] is "a,b"`:             {Subprotocols: []string{"a,b"}},
		`Subprotocols[0] is "é"`:               {Subprotocols: []string{"é"}},
		`Subprotocols[2] is "a"`:               {Subprotocols: []string{"a", "b", "a"}},
		`Operators[1]: allowed is an operator`: {Operators: []stream.Operator{plain{}, nil}},
		`faulty is 1: allowed is 2`:            {Operators: []stream.Operator{faulty{}}},
		`Operators[0].Offers is "a,b"`:         {Operators: []stream.Operator{testExtension{offers: []string{"a,b"}}}},
		`TLS is AllowExpired: allowed is no`:   {TLS: AllowExpired},
		`CloseTimeout is -1s`:                  {CloseTimeout: -time.Second},
		`LookAhead is -1`:                      {LookAhead: -1},
		`SuccessCodes[1] is 1006`:              {SuccessCodes: []result.StatusCode{1001, 1006}},
		`TLS is 16: allowed is a combination`:  {TLS: 16},
		`Proxy is "ftp:": allowed is a proxy`:  {Proxy: http.ProxyURL(&url.URL{Scheme: "ftp", Host: "example.com"})},
	} {
		t.Run(says, func(t *testing.T) {
			opts.HTTPClient = untouched(t)
			before := fmt.Sprintf("%+v", *opts)
			wantContains(t, "Dial", refusedArgument(t, "ws://127.0.0.1:1", opts), says)
			want(t, "the options afterwards", fmt.Sprintf("%+v", *opts), before)
		})
	}
}

// A Host that is not refused is sent, whatever is in it.
func TestEveryHostIsRefusedOrSent(t *testing.T) {
	hosts := make(chan string, 1)
	addr := listen(t, answers(func(r *http.Request) string {
		hosts <- r.Host
		return agree(r)
	}))
	for c := range 0x80 {
		host := "a" + string(rune(c)) + "b"
		if validateHost(host) == nil {
			mustConnect(t, "ws://"+addr, &Options{Host: host}).rwc.Close()
			want(t, "the Host", <-hosts, host)
		}
	}
}

func TestOptionsThatCannotReach(t *testing.T) {
	dialTLS := &http.Client{Transport: &http.Transport{
		DialTLSContext: func(context.Context, string, string) (net.Conn, error) { panic("dialed") },
	}}
	dialContext := new(net.Dialer).DialContext
	own := &http.Client{Transport: wrapping{}}
	proxy := http.ProxyURL(&url.URL{Scheme: "http", Host: "127.0.0.1:1"})
	config := &tls.Config{}
	for _, tt := range []struct {
		says, url string
		opts      *Options
	}{
		{"dial.Options.TLS ", "wss://127.0.0.1:1", &Options{HTTPClient: own, TLS: AllowExpired}},
		{"dial.Options.TLSConfig:", "wss://127.0.0.1:1", &Options{HTTPClient: own, TLSConfig: config}},
		{"dial.Options.Proxy:", "ws://127.0.0.1:1", &Options{HTTPClient: own, Proxy: proxy}},
		{"dial.Options.DialContext:", "ws://127.0.0.1:1", &Options{HTTPClient: own, DialContext: dialContext}},
		{"dial: url", "ws+unix:///tmp/a", &Options{HTTPClient: own}},
		{"TLS and TLSConfig", "wss://127.0.0.1:1", &Options{HTTPClient: dialTLS, TLS: AllowExpired}},
		{"TLS and TLSConfig", "wss://127.0.0.1:1", &Options{HTTPClient: dialTLS, TLSConfig: config}},
		{"beside the option DialContext", "wss://127.0.0.1:1", &Options{HTTPClient: dialTLS, DialContext: dialContext}},
		{"dial.Options.Proxy:", "ws+unix:///tmp/a", &Options{Proxy: proxy}},
		{"dial.Options.DialContext:", "ws+unix:///tmp/a", &Options{DialContext: dialContext}},
		{"dial.Options.TLS ", "ws+unix:///tmp/a", &Options{TLS: AllowUnknownAuthority}},
		{"dial.Options.TLSConfig:", "wss://127.0.0.1:1", &Options{TLS: AllowUnknownAuthority, TLSConfig: &tls.Config{InsecureSkipVerify: true}}},
	} {
		wantContains(t, "Dial "+tt.url, refusedArgument(t, tt.url, tt.opts), tt.says)
	}
}
