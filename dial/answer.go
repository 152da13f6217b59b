package dial

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"slices"
	"strconv"
	"strings"
)

// A head reads the headers of answers, of which the first byte has come: those of
// interim ones, then that of the final one. All of them together are bounded. A
// line takes more memory than its bytes, and counts for that as in HTTP/2, where
// the size of a field has "an overhead of 32 octets".
//
// https://www.rfc-editor.org/rfc/rfc9113.html#section-6.5.2
type head struct {
	r    *bufio.Reader
	left int64 // bytes that may still come
}

const lineOverhead = 32

// answer reads one header. An error is a *HandshakeError where the status line
// is well-formed or no status line at all, and otherwise the connection's.
func (h *head) answer() (*http.Response, error) {
	line, err := h.line(nil)
	switch {
	case err == errHeaderTooLarge:
		return nil, &HandshakeError{Err: err}
	case err != nil:
		return nil, err
	}
	resp, ok := parseStatus(string(line))
	if !ok {
		return nil, &HandshakeError{Err: errNoHTTP}
	}
	lines, cause := h.lines()
	resp.Header, err = parseFields(lines)
	switch {
	case cause == errHeaderTooLarge:
		return nil, newHandshakeError(resp, nil, cause)
	case cause != nil:
		return nil, newHandshakeError(resp, nil, fmt.Errorf("the answer's header has no end: %w", cause))
	case err != nil:
		return nil, newHandshakeError(resp, nil, err)
	}
	return resp, nil
}

// lines reads the lines behind the status line, up to and with the empty one.
// After an error they are whole lines, and an empty one stands in for the end.
func (h *head) lines() (all []byte, err error) {
	all = make([]byte, 0, usualHeader)
	for {
		n := len(all)
		all, err = h.line(all)
		if err != nil {
			return append(all[:n], "\r\n"...), err
		}
		if line := all[n:]; len(line) == 1 || line[0] == '\r' && len(line) == 2 {
			return all, nil
		}
		h.left -= lineOverhead
	}
}

// line appends the next line, and what ends it. "A recipient MAY recognize a
// single LF as a line terminator and ignore any preceding CR."
//
// https://www.rfc-editor.org/rfc/rfc9112.html#section-2.2
func (h *head) line(b []byte) ([]byte, error) {
	for {
		part, err := h.r.ReadSlice('\n')
		b = append(b, part...)
		if h.left -= int64(len(part)); h.left < 0 {
			return b, errHeaderTooLarge
		}
		switch {
		case err == io.EOF:
			return b, io.ErrUnexpectedEOF
		case err != bufio.ErrBufferFull:
			return b, err
		}
	}
}

// parseStatus reads a status line. As net/http does, it takes one without the
// space that belongs behind the code.
//
//	status-line = HTTP-version SP status-code SP [ reason-phrase ]
//
// https://www.rfc-editor.org/rfc/rfc9112.html#section-4
func parseStatus(line string) (*http.Response, bool) {
	proto, status, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
	status = strings.TrimLeft(status, " ")
	major, minor, ok := http.ParseHTTPVersion(proto)
	digits, _, _ := strings.Cut(status, " ")
	code, err := strconv.ParseUint(digits, 10, 16)
	if !ok || err != nil || len(digits) != 3 {
		return nil, false
	}
	return &http.Response{Proto: proto, ProtoMajor: major, ProtoMinor: minor, Status: status, StatusCode: int(code), Body: http.NoBody}, true
}

// interim reports an answer before the answer: "A client MUST be able to parse
// one or more 1xx responses received prior to a final response".
//
// https://www.rfc-editor.org/rfc/rfc9110.html#section-15.2
func interim(resp *http.Response) bool {
	return resp.StatusCode/100 == 1 && resp.StatusCode != http.StatusSwitchingProtocols
}

// isAlert reports that the answer begins as a TLS record with an alert does:
// "alert(21)", and a version of which the first byte is 3. It is what many
// servers that expect TLS send when they get a request without.
//
// https://www.rfc-editor.org/rfc/rfc8446.html#section-5.1
func isAlert(r *bufio.Reader) bool {
	first, _ := r.Peek(1)
	if len(first) == 0 || first[0] != 21 {
		return false
	}
	record, _ := r.Peek(2)
	return len(record) == 2 && record[1] == 3
}

// bodyOf returns the body of a refusal, whose header has been read from r.
//
//   - "any response with a [...] 204 (No Content), or 304 (Not Modified) status
//     code is always terminated by the first empty line after the header fields".
//   - "If a Transfer-Encoding header field is present in a response and the
//     chunked transfer coding is not the final encoding, the message body length
//     is determined by reading the connection until it is closed by the server."
//   - With a Content-Length that is invalid, the client "MUST close the
//     connection to the server and discard the received response": status and
//     header are told all the same, a body is not.
//
// https://www.rfc-editor.org/rfc/rfc9112.html#section-6.3
func bodyOf(resp *http.Response, r *bufio.Reader) io.Reader {
	if resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified {
		return http.NoBody
	}
	if codings := elementsOf(resp.Header["Transfer-Encoding"]); len(codings) > 0 {
		if strings.EqualFold(codings[len(codings)-1], "chunked") {
			return httputil.NewChunkedReader(r)
		}
		return r
	}
	fields := resp.Header["Content-Length"]
	if len(fields) == 0 {
		return r
	}
	lengths := slices.Compact(elementsOf(fields))
	if len(lengths) != 1 {
		return http.NoBody
	}
	n, err := strconv.ParseUint(lengths[0], 10, 63)
	if err != nil {
		return http.NoBody
	}
	return io.LimitReader(r, int64(n))
}

// elementsOf returns the elements of a field that is a list, in one line or
// several.
//
// https://www.rfc-editor.org/rfc/rfc9110.html#section-5.6.1
func elementsOf(values []string) (all []string) {
	for _, value := range values {
		for e := range strings.SplitSeq(value, ",") {
			if e = strings.Trim(e, " \t"); e != "" {
				all = append(all, e)
			}
		}
	}
	return all
}

var (
	errHeaderTooLarge = errors.New("the answer's header is too large")
	errHeader         = errors.New("the answer's header is malformed")
	errNoHTTP         = errors.New("the answer is no HTTP/1.1 response")
	errAlert          = errors.New("the answer is a TLS alert, no HTTP: this port wants TLS, which a wss:// URL, or for a proxy an https:// URL, asks for")
)
