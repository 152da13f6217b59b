package dial

import (
	"bytes"
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// parseFields reads the lines of a header, up to the empty one at their end. With
// an error it returns the fields before the fault.
//
//	field-line = field-name ":" OWS field-value OWS
//
// It takes what net/textproto takes, which reads through a buffer of its own.
//
// https://www.rfc-editor.org/rfc/rfc9112.html#section-5
func parseFields(lines []byte) (http.Header, error) {
	n := bytes.Count(lines, []byte{'\n'})
	header := make(http.Header, n)
	values := make([]string, n) // of all fields; most have one
	rest := string(lines)
	if continues(rest) {
		return header, errHeader
	}
	for {
		var line string
		if line, rest = cutLine(rest); line == "" {
			return header, nil
		}
		name, value, ok := strings.Cut(line, ":")
		value, rest = unfold(value, rest)
		if !ok || !isFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return header, errHeader
		}
		name = http.CanonicalHeaderKey(name)
		if header[name] == nil {
			header[name], values = values[:0:1], values[1:]
		}
		header[name] = append(header[name], value)
	}
}

// unfold returns a field's value without the whitespace around it, and with the
// lines that continue it: "A user agent that receives an obs-fold in a response
// message that is not within a "message/http" container MUST replace each received
// obs-fold with one or more SP octets prior to interpreting the field value."
//
// https://www.rfc-editor.org/rfc/rfc9112.html#section-5.2
func unfold(value, rest string) (string, string) {
	value = strings.Trim(value, " \t")
	if !continues(rest) {
		return value, rest
	}
	lines := []string{value}
	for continues(rest) {
		var line string
		line, rest = cutLine(rest)
		lines = append(lines, strings.Trim(line, " \t"))
	}
	return strings.Trim(strings.Join(lines, " "), " "), rest
}

// continues reports whether the text continues the line in front of it.
func continues(text string) bool {
	return text != "" && (text[0] == ' ' || text[0] == '\t')
}

func cutLine(text string) (line, rest string) {
	line, rest, _ = strings.Cut(text, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

// isFieldName takes spaces, as net/http does, which keeps such a name as it is.
func isFieldName(name string) bool {
	return httpguts.ValidHeaderFieldName(strings.ReplaceAll(name, " ", ""))
}
