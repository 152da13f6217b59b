package deflate

import (
	"fmt"
	"strings"
)

// An element is one extension that a Sec-WebSocket-Extensions header names.
type element struct {
	name       string
	parameters []parameter
}

type parameter struct {
	name  string
	value string // without quotes
	set   bool   // there is a value
}

func (p parameter) String() string {
	if !p.set {
		return p.name
	}
	return p.name + "=" + p.value
}

// parseElements parses the value of a Sec-WebSocket-Extensions header.
//
//	extension-list  = 1#extension
//	extension       = extension-token *( ";" extension-param )
//	extension-param = token [ "=" (token | quoted-string) ]
//
// "When using the quoted-string syntax variant, the value after quoted-string
// unescaping MUST conform to the 'token' ABNF."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-9.1
func parseElements(header string) ([]element, error) {
	var elements []element
	s := scanner{rest: header}
	for {
		for s.accept(',') { // a list may have empty places
		}
		if s.rest == "" {
			return elements, nil
		}
		e, err := s.element()
		if err == nil && s.rest != "" && !s.accept(',') {
			err = fmt.Errorf("%q begins with none of ; = and ,", s.rest)
		}
		if err != nil {
			return nil, fmt.Errorf("Sec-WebSocket-Extensions: %q: %w", header, err)
		}
		elements = append(elements, e)
	}
}

// A scanner reads a header from its beginning.
type scanner struct{ rest string }

func (s *scanner) element() (e element, err error) {
	if e.name, err = s.token(); err != nil {
		return e, err
	}
	for s.accept(';') {
		var p parameter
		if p.name, err = s.token(); err != nil {
			return e, err
		}
		if p.set = s.accept('='); p.set {
			if p.value, err = s.value(); err != nil {
				return e, err
			}
		}
		e.parameters = append(e.parameters, p)
	}
	return e, nil
}

// accept skips white space, and c if that comes next.
func (s *scanner) accept(c byte) bool {
	s.rest = strings.TrimLeft(s.rest, " \t")
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = strings.TrimLeft(s.rest[1:], " \t")
	return true
}

func (s *scanner) token() (string, error) {
	n := 0
	for n < len(s.rest) && isTokenByte(s.rest[n]) {
		n++
	}
	if n == 0 {
		return "", fmt.Errorf("a token is missing before %q", s.rest)
	}
	token := s.rest[:n]
	s.rest = strings.TrimLeft(s.rest[n:], " \t")
	return token, nil
}

func (s *scanner) value() (string, error) {
	if s.rest == "" || s.rest[0] != '"' {
		return s.token()
	}
	var value []byte
	for i := 1; i < len(s.rest); i++ {
		c := s.rest[i]
		if c == '"' {
			s.rest = strings.TrimLeft(s.rest[i+1:], " \t")
			return s.unquoted(string(value))
		}
		if c == '\\' && i+1 < len(s.rest) {
			i++
			c = s.rest[i]
		}
		value = append(value, c)
	}
	return "", fmt.Errorf("%s has no closing quote", s.rest)
}

func (s *scanner) unquoted(value string) (string, error) {
	for i := range len(value) {
		if !isTokenByte(value[i]) {
			return "", fmt.Errorf("%q is no token", value)
		}
	}
	if value == "" {
		return "", fmt.Errorf("an empty value is no token")
	}
	return value, nil
}

// isTokenByte reports whether c may stand in a token.
//
// https://www.rfc-editor.org/rfc/rfc2616.html#section-2.2
func isTokenByte(c byte) bool {
	return c > ' ' && c < 0x7F && !strings.ContainsRune(`()<>@,;:\"/[]?={}`, rune(c))
}
