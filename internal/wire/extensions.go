package wire

import (
	"fmt"
	"strings"
)

// An Extension is one element of a Sec-WebSocket-Extensions header.
type Extension struct {
	Name   string
	Params []ExtensionParam
	Text   string // the element as it stands in the header, without space around it
}

// An ExtensionParam is a parameter of an extension.
type ExtensionParam struct {
	Name  string
	Value string // without quotes and escapes; "" if there is none
	Set   bool   // there is a value
}

// String returns the parameter as it is written without quotes.
func (p ExtensionParam) String() string {
	if !p.Set {
		return p.Name
	}
	return p.Name + "=" + p.Value
}

// ParseExtensions parses the value of a Sec-WebSocket-Extensions header, or the
// values of several joined by commas. Elements of the list may be empty, and
// count for nothing. The error says what is wrong at which byte, counted from
// 0; it does not quote the header.
//
//	extension-list  = 1#extension
//	extension       = extension-token *( ";" extension-param )
//	extension-token = token
//	extension-param = token [ "=" (token | quoted-string) ]
//
// "When using the quoted-string syntax variant, the value after quoted-string
// unescaping MUST conform to the 'token' ABNF."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-9.1
func ParseExtensions(header string) ([]Extension, error) {
	var list []Extension
	s := extensionScanner{header: header}
	for {
		for s.accept(',') {
		}
		if s.done() {
			return list, nil
		}
		e, err := s.extension()
		if err == nil && !s.done() && !s.accept(',') {
			err = s.fault("allowed are a semicolon, a comma and the end")
		}
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
}

// An extensionScanner reads a header from its beginning. Its position is never
// before white space once a method has returned.
type extensionScanner struct {
	header string
	i      int // the position
	end    int // the end of the last token or quoted string
}

func (s *extensionScanner) done() bool { return s.i == len(s.header) }

func (s *extensionScanner) fault(what string) error {
	return fmt.Errorf("the Sec-WebSocket-Extensions header breaks RFC 6455 section 9.1 at byte %d: %s", s.i, what)
}

func (s *extensionScanner) space() {
	for !s.done() && (s.header[s.i] == ' ' || s.header[s.i] == '\t') {
		s.i++
	}
}

// accept steps over c, and white space around it, if it comes next.
func (s *extensionScanner) accept(c byte) bool {
	s.space()
	if s.done() || s.header[s.i] != c {
		return false
	}
	s.i++
	s.space()
	return true
}

func (s *extensionScanner) extension() (e Extension, err error) {
	start := s.i
	if e.Name, err = s.token(); err != nil {
		return e, err
	}
	for s.accept(';') {
		p, err := s.param()
		if err != nil {
			return e, err
		}
		e.Params = append(e.Params, p)
	}
	e.Text = s.header[start:s.end]
	return e, nil
}

func (s *extensionScanner) param() (p ExtensionParam, err error) {
	if p.Name, err = s.token(); err != nil {
		return p, err
	}
	p.Set = s.accept('=')
	switch {
	case !p.Set:
	case !s.done() && s.header[s.i] == '"':
		p.Value, err = s.quoted()
	default:
		p.Value, err = s.token()
	}
	return p, err
}

func (s *extensionScanner) token() (string, error) {
	start := s.i
	for !s.done() && isTokenByte(s.header[s.i]) {
		s.i++
	}
	if s.i == start {
		return "", s.fault("a token is missing")
	}
	s.end = s.i
	s.space()
	return s.header[start:s.end], nil
}

// quoted reads a quoted string, of which the opening quote comes next.
func (s *extensionScanner) quoted() (string, error) {
	var value []byte
	for s.i++; !s.done(); s.i++ {
		c := s.header[s.i]
		if c == '"' {
			break
		}
		if c == '\\' && s.i+1 < len(s.header) {
			s.i++
			c = s.header[s.i]
		}
		if !isTokenByte(c) {
			return "", s.fault("a quoted value must be a token")
		}
		value = append(value, c)
	}
	if s.done() {
		return "", s.fault("the closing quote is missing")
	}
	if len(value) == 0 {
		return "", s.fault("a quoted value must be a token, which is not empty")
	}
	s.i++
	s.end = s.i
	s.space()
	return string(value), nil
}

// isTokenByte reports whether c may stand in a token.
//
// https://www.rfc-editor.org/rfc/rfc9110.html#section-5.6.2
func isTokenByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}
