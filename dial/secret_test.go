package dial

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

const secret = "hunter2"

// secretive are arguments with a secret wherever one can be.
func secretive(opts Options) *Options {
	opts.Header = http.Header{"Cookie": {"id=" + secret}, "Authorization": {"Bearer " + secret}, "X-Token": {secret}}
	return &opts
}

// No error may show a secret, however it is taken apart.
func TestNoErrorShowsASecret(t *testing.T) {
	echo := listen(t, func(c net.Conn, br *bufio.Reader) { io.Copy(c, br) })
	says := func(answer string) string {
		return listen(t, answers(func(*http.Request) string { return answer }))
	}
	proxy := &url.URL{Scheme: "http", User: url.UserPassword("user", secret)}
	through := func(addr, scheme string) Options {
		u := *proxy
		u.Host, u.Scheme = addr, scheme
		return Options{Proxy: http.ProxyURL(&u)}
	}
	for name, tt := range map[string]struct {
		addr   string
		scheme string
		opts   Options
	}{
		"nobody there":        {"127.0.0.1:1", "ws", Options{}},
		"our own request":     {echo, "ws", Options{}},
		"TLS with an echo":    {echo, "wss", Options{}},
		"refusal":             {says("HTTP/1.1 403 No\r\nSet-Cookie: id=" + secret + "\r\nContent-Length: 7\r\n\r\n" + secret), "ws", Options{}},
		"malformed status":    {says("HTTP/1.1 " + secret + "\r\n\r\n"), "ws", Options{}},
		"malformed header":    {says("HTTP/1.1 101 Yes\r\n Set-Cookie id=" + secret + "\r\n\r\n"), "ws", Options{}},
		"redirect to no URL":  {says(redirect("http://u:" + secret + "@h:p/")), "ws", Options{}},
		"redirect to no host": {says(redirect("http://u:" + secret + "@/?" + secret)), "ws", Options{}},
		"redirect to FTP":     {says(redirect("ftp://u:" + secret + "@h/?" + secret)), "ws", Options{}},
		"redirect to nobody":  {says(redirect("http://u:" + secret + "@127.0.0.1:1/?" + secret)), "ws", Options{}},
		"no proxy there":      {"example.com", "ws", through("127.0.0.1:1", "http")},
		"no SOCKS there":      {"example.com", "ws", through("127.0.0.1:1", "socks5")},
		"proxy is an echo":    {"example.com", "ws", through(echo, "http")},
		"TLS proxy is none":   {"example.com", "ws", through(echo, "https")},
		"SOCKS is an echo":    {"example.com", "wss", through(echo, "socks5")},
		"proxy's scheme":      {"example.com", "ws", through("127.0.0.1:1", "ftp")},
		"timeout":             {listen(t, silence), "ws", Options{HandshakeTimeout: 10 * time.Millisecond}},
		"bad port":            {"example.com:x", "ws", Options{}},
		"bad option":          {"example.com", "ws", Options{Subprotocols: []string{""}}},
		"fragment":            {"example.com/#" + secret, "ws", Options{}},
		"bad scheme":          {"example.com", "wsx", Options{}},
	} {
		t.Run(name, func(t *testing.T) {
			url := tt.scheme + "://user:" + secret + "@" + tt.addr + "/" + secret + "?token=" + secret
			_, err := Dial(t.Context(), url, secretive(tt.opts))
			if err == nil {
				t.Fatal("the dial succeeded")
			}
			noSecret(t, err)
		})
	}
	bad := secretive(Options{})
	bad.Header.Set("X-Token", secret+"\n")
	_, err := Dial(context.Background(), "ws://example.com", bad)
	noSecret(t, err)
}

// noSecret looks at an error and all that it wraps.
func noSecret(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "aHVudGVyMg") || strings.Contains(err.Error(), "dXNlcjpodW50ZXIy") {
		t.Errorf("%T shows the secret: %v", err, err)
	}
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		noSecret(t, err.Unwrap())
	case interface{ Unwrap() []error }:
		for _, err := range err.Unwrap() {
			noSecret(t, err)
		}
	}
}
