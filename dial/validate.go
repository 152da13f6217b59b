package dial

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

func checkContext(ctx context.Context) error {
	if ctx == nil {
		return &result.ArgumentError{Name: "dial: ctx", Allowed: "a context, not nil"}
	}
	return nil
}

// validate looks at everything that can be wrong with the options, before any
// I/O.
func (o *Options) validate() error {
	if err := validateHeader(o.Header); err != nil {
		return err
	}
	if err := validateHost(o.Host); err != nil {
		return err
	}
	if err := validateSubprotocols(o.Subprotocols); err != nil {
		return err
	}
	if err := validateOperators(o.Operators); err != nil {
		return err
	}
	return o.validateStream()
}

// validateStream looks at what is handed on to the stream package.
func (o *Options) validateStream() error {
	if o.CloseTimeout < 0 {
		return badOption("CloseTimeout", o.CloseTimeout, "a duration, or 0 for 5 s")
	}
	if o.LookAhead < 0 {
		return badOption("LookAhead", o.LookAhead, "a number of bytes, or 0 for 1 MiB")
	}
	for i, code := range o.SuccessCodes {
		if !code.Sendable() {
			return badOption(fmt.Sprintf("SuccessCodes[%d]", i), int(code), check.Codes)
		}
	}
	return nil
}

func badOption(field string, value any, allowed string) error {
	return &result.ArgumentError{Name: "dial.Options." + field, Value: value, Allowed: allowed}
}

// owned are the keys that the handshake or net/http writes itself, beside
// Sec-WebSocket-*.
var owned = []string{"Connection", "Upgrade", "Content-Length", "Transfer-Encoding", "Trailer"}

// validateHeader refuses what the handshake owns and what could not be sent. It
// shows no values, as they may be secret.
func validateHeader(h http.Header) error {
	if len(h) == 0 {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(h)) {
		switch canonical := http.CanonicalHeaderKey(key); {
		case !isToken(key):
			return badOption("Header", key, "keys that are RFC 9110 tokens")
		case canonical == "Host":
			return badOption("Header", key, "any other key; dial.Options.Host sets the host")
		case slices.Contains(owned, canonical), strings.HasPrefix(canonical, "Sec-Websocket-"):
			return badOption("Header", key, "any key that the handshake does not write itself; "+
				"dial.Options.Subprotocols and Operators set what may be set of Sec-WebSocket-*")
		}
		for i, v := range h[key] {
			if strings.ContainsFunc(v, isControl) {
				return badOption(fmt.Sprintf("Header[%q][%d]", key, i), nil, "no control characters such as CR, LF and NUL")
			}
		}
	}
	return nil
}

// isControl reports what no header value may hold: a tab is the one control
// character that it may.
//
// https://www.rfc-editor.org/rfc/rfc9110.html#section-5.5
func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F }

// validateHost refuses, beside what is no host, the three characters that
// net/url takes but net/http does not: it would send an empty Host.
func validateHost(host string) error {
	if host == "" {
		return nil
	}
	u, err := url.Parse("http://" + host)
	if err != nil || u.Host != host || u.Hostname() == "" || strings.ContainsAny(host, `"<>`) {
		return badOption("Host", host, "a host, with or without a port")
	}
	return nil
}

// validateSubprotocols: "The elements that comprise this value MUST be
// non-empty strings with characters in the range U+0021 to U+007E not including
// separator characters as defined in [RFC2616] and MUST all be unique strings."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
func validateSubprotocols(names []string) error {
	for i, name := range names {
		field := fmt.Sprintf("Subprotocols[%d]", i)
		if !isToken(name) {
			return badOption(field, name, "an RFC 9110 token: letters, digits and !#$%&'*+-.^_`|~")
		}
		if slices.Contains(names[:i], name) {
			return badOption(field, name, "each subprotocol once")
		}
	}
	return nil
}

func validateOperators(operators []stream.Operator) error {
	for i, op := range operators {
		if op == nil {
			return badOption(fmt.Sprintf("Operators[%d]", i), nil, "an operator, not nil")
		}
		if v, ok := op.(stream.Validator); ok {
			if err := v.Validate(); err != nil {
				return err
			}
		}
	}
	return nil
}

// isToken reports whether s is a token.
//
// https://www.rfc-editor.org/rfc/rfc9110.html#section-5.6.2
func isToken(s string) bool {
	for i := range len(s) {
		if !isTokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func isTokenByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}
