package dial

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/wsflow/wsflow/result"
)

// A target is where a URL leads: what net/http is to ask for, and through which
// socket.
type target struct {
	url    *url.URL // with the scheme http or https
	socket string   // the path of a Unix socket, or ""
}

func (t target) secure() bool { return t.url.Scheme == "https" }

const allowedURL = "ws://host[:port][/path][?query], the same with wss, http or https, or ws+unix:///path/of/socket[:/path][?query]"

// parseTarget reads a WebSocket URL. A URL that does not parse is not shown,
// nor is why: any part of it may be a part of a password.
//
// "Fragment identifiers are meaningless in the context of WebSocket URIs and
// MUST NOT be used on these URIs."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-3
func parseTarget(raw string) (target, error) {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return target{}, badURL("", allowedURL)
	case err != nil:
		return target{}, badURL(nil, allowedURL+"; it does not parse, and is not shown as it may hold a password")
	case strings.Contains(raw, "#"):
		return target{}, badURL(shown(u), "no fragment; a # in a path or query is written %23")
	}
	switch u.Scheme {
	case "ws", "http":
		return webTarget(u, "http")
	case "wss", "https":
		return webTarget(u, "https")
	case "ws+unix":
		return socketTarget(u)
	case "": // what stands in the scheme's place may be a secret
		return target{}, badURL(nil, allowedURL+"; it has no scheme, and is not shown as it may hold a password")
	}
	return target{}, badURL(u.Scheme+":", allowedURL)
}

func webTarget(u *url.URL, scheme string) (target, error) {
	if u.Hostname() == "" || strings.Contains(u.Hostname(), ":") && u.Host[0] != '[' {
		return target{}, badURL(shown(u), allowedURL+"; an IPv6 address stands in brackets")
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 {
			return target{}, badURL(shown(u), "a port from 1 to 65535")
		}
	}
	// "|Host| [...] contains /host/ plus optionally ":" followed by /port/ (when
	// not using the default port)."
	// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
	u.Host = strings.TrimSuffix(u.Host, ":"+defaultPorts[scheme])
	u.Scheme = scheme
	u.RawPath, u.RawQuery = escape(u.RawPath), escape(u.RawQuery)
	return target{url: u}, nil
}

// escape escapes what may not stand in a path or a query, and leaves the rest as
// it is, what is escaped already included. Left to itself, net/url does so for
// the path alone, and there undoes every escape if anything needs one.
//
// https://www.rfc-editor.org/rfc/rfc3986.html#section-3.3
func escape(s string) string {
	if !slices.ContainsFunc([]byte(s), mustEscape) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; mustEscape(c) {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func mustEscape(c byte) bool {
	return c <= ' ' || c > '~' || strings.IndexByte("\"<>\\^`{|}", c) >= 0
}

// socketTarget splits the path at its first colon: the socket's path before it,
// the resource behind it. A colon in the socket's path is written %3A.
func socketTarget(u *url.URL) (target, error) {
	raw := u.RawPath // as it was written; "" if no escape in it matters
	if raw == "" {
		raw = u.EscapedPath()
	}
	path, resource, found := strings.Cut(raw, ":")
	socket, err := url.PathUnescape(path)
	if err != nil || u.Host != "" || len(socket) < 2 || strings.ContainsRune(socket, 0) ||
		found && !strings.HasPrefix(resource, "/") {
		return target{}, badURL("ws+unix:", allowedURL)
	}
	name, err := url.PathUnescape(resource)
	if err != nil {
		return target{}, badURL("ws+unix:", allowedURL)
	}
	return target{
		socket: socket,
		url:    &url.URL{Scheme: "http", User: u.User, Host: "localhost", Path: name, RawPath: escape(resource), RawQuery: escape(u.RawQuery)},
	}, nil
}

// shown is what an error may tell of a URL: userinfo, path and query may hold
// secrets.
func shown(u *url.URL) string { return u.Scheme + "://" + u.Host }

func badURL(value any, allowed string) error {
	return &result.ArgumentError{Name: "dial: url", Value: value, Allowed: allowed}
}
