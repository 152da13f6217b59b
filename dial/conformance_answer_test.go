package dial

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wsflow/wsflow/deflate"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// inPieces runs a case with the answer in one piece and byte by byte.
func inPieces(t *testing.T, section, name string, test func(t *testing.T, piece int)) {
	t.Helper()
	conformance.Rule(t, section, name+"/in one piece", func(t *testing.T) { test(t, 0) })
	conformance.Rule(t, section, name+"/byte by byte", func(t *testing.T) { test(t, 1) })
}

// What the client MUST take, as HTTP and RFC 6455 leave it to the server. Where
// the body of a 101 would end is of no concern: "Any response [...] with a 1xx
// (Informational) [...] status code is always terminated by the first empty line
// after the header fields, regardless of the header fields present in the
// message".
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
// https://www.rfc-editor.org/rfc/rfc9112.html#section-6.3
func TestSection4_1GoodAnswers(t *testing.T) {
	var many strings.Builder
	for i := range 400 {
		fmt.Fprintf(&many, "X-%d: a header field of a few dozen bytes, one of many\r\n", i)
	}
	for name, header := range map[string]string{
		"the plain one":                    good,
		"without a reason phrase":          "HTTP/1.1 101 \r\n" + upgrade + connection + accepted,
		"with another reason phrase":       "HTTP/1.1 101 Web Socket Protocol Handshake\r\n" + upgrade + connection + accepted,
		"the fields in another order":      statusLine + accepted + connection + upgrade,
		"field names in lower case":        statusLine + "upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: {accept}\r\n",
		"field names in upper case":        statusLine + "UPGRADE: websocket\r\nCONNECTION: Upgrade\r\nSEC-WEBSOCKET-ACCEPT: {accept}\r\n",
		"Upgrade in mixed case":            statusLine + "Upgrade: WebSocket\r\n" + connection + accepted,
		"Upgrade in upper case":            statusLine + "Upgrade: WEBSOCKET\r\n" + connection + accepted,
		"Connection in lower case":         statusLine + upgrade + "Connection: upgrade\r\n" + accepted,
		"Connection in upper case":         statusLine + upgrade + "Connection: UPGRADE\r\n" + accepted,
		"Connection as a list, last":       statusLine + upgrade + "Connection: keep-alive, Upgrade\r\n" + accepted,
		"Connection as a list, first":      statusLine + upgrade + "Connection: upgrade,keep-alive\r\n" + accepted,
		"Connection as a list with gaps":   statusLine + upgrade + "Connection: , keep-alive ,\tUpgrade ,\r\n" + accepted,
		"Connection in two fields":         statusLine + upgrade + "Connection: keep-alive\r\n" + connection + accepted,
		"Connection with close behind":     statusLine + upgrade + "Connection: Upgrade, close\r\n" + accepted,
		"Connection with close in front":   statusLine + upgrade + "Connection: close, Upgrade\r\n" + accepted,
		"Connection with close beside it":  statusLine + upgrade + "Connection: close\r\n" + connection + accepted,
		"a transfer coding":                good + "Transfer-Encoding: chunked\r\n",
		"a transfer coding of no effect":   good + "Transfer-Encoding: identity\r\n",
		"a transfer coding twice":          good + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
		"a length":                         good + "Content-Length: 5\r\n",
		"two lengths":                      good + "Content-Length: 0\r\nContent-Length: 4\r\n",
		"a length that is no number":       good + "Content-Length: none\r\n",
		"lines that end with LF":           strings.ReplaceAll(good, "\r\n", "\n"),
		"white space around the values":    statusLine + "Upgrade: \t websocket \t\r\nConnection:\tUpgrade  \r\nSec-WebSocket-Accept: \t{accept} \t \r\n",
		"no white space":                   statusLine + "Upgrade:websocket\r\nConnection:Upgrade\r\nSec-WebSocket-Accept:{accept}\r\n",
		"a folded field of no concern":     good + "X-Long: a\r\n b\r\n\tc\r\n",
		"fields of no concern":             good + "Server: test\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nX-Empty:\r\n",
		"a field of 30 KiB":                good + "X-Long: " + strings.Repeat("a", 30<<10) + "\r\n",
		"400 fields":                       good + many.String(),
		"an interim answer before it":      "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + good,
		"an empty list of extensions":      good + "Sec-WebSocket-Extensions:\r\n",
		"a version that is of no interest": good + "Sec-WebSocket-Version: 13\r\n",
	} {
		inPieces(t, "4.1", name, func(t *testing.T, piece int) {
			s := &scripted{answer: header + "\r\n", piece: piece}
			s.opens(t, "ws://a.test/", nil)
		})
	}
}

// What the client MUST _Fail the WebSocket Connection_ for: a 101 whose Upgrade
// is missing or "contains a value that is not an ASCII case-insensitive match
// for the value "websocket"", whose Connection "doesn't contain a token" that is
// "Upgrade", or whose Sec-WebSocket-Accept is missing or is something else.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
func TestSection4_1BadAnswers(t *testing.T) {
	withUpgrade := func(v string) string { return statusLine + "Upgrade: " + v + "\r\n" + connection + accepted }
	withConnection := func(v string) string { return statusLine + upgrade + "Connection: " + v + "\r\n" + accepted }
	withAccept := func(v string) string {
		return statusLine + upgrade + connection + "Sec-WebSocket-Accept: " + v + "\r\n"
	}
	bad := map[string]string{
		"nothing but the status":          statusLine,
		"no Upgrade":                      statusLine + connection + accepted,
		"no Connection":                   statusLine + upgrade + accepted,
		"a space in Upgrade's name":       statusLine + "Up grade: websocket\r\n" + connection + accepted,
		"a space behind Upgrade's name":   statusLine + "Upgrade : websocket\r\n" + connection + accepted,
		"no Accept":                       statusLine + upgrade + connection,
		"two Accepts, the same":           good + accepted,
		"a good Accept, then a bad one":   good + "Sec-WebSocket-Accept: c3Vycm91bmRlZA==\r\n",
		"a bad Accept, then a good one":   withAccept("c3Vycm91bmRlZA==") + accepted,
		"two Upgrades, one of them other": withUpgrade("h2c") + upgrade,
	}
	for _, v := range []string{"", "h2c", "websockets", "web socket", "websocket/13", `"websocket"`, "TLS/1.0", "websocket, h2c", "h2c, websocket"} {
		bad[fmt.Sprintf("the Upgrade %q", v)] = withUpgrade(v)
	}
	for _, v := range []string{"", "close", "keep-alive", "Upgraded", "Up grade", "keep-alive Upgrade", `"Upgrade"`, "websocket"} {
		bad[fmt.Sprintf("the Connection %q", v)] = withConnection(v)
	}
	for _, v := range []string{
		"", "{accept}=", "{accept}, {accept}", "{accept},", `"{accept}"`, "x{accept}", "{accept} x", "=", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
		acceptOf(""), acceptOf("dGhlIHNhbXBsZSBub25jZQ=="),
	} {
		bad[fmt.Sprintf("the Accept %q", v)] = withAccept(v)
	}
	for name, header := range bad {
		inPieces(t, "4.1", name, func(t *testing.T, piece int) {
			s := &scripted{answer: header + "\r\n" + frames, piece: piece}
			err := s.fails(t, "ws://a.test/", nil)
			want(t, "the status", err.StatusCode, 101)
			if err.Err == nil {
				t.Errorf("nothing says why: %v", err)
			}
		})
	}
	conformance.Rule(t, "4.1", "an Accept in another case", func(t *testing.T) {
		s := &scripted{answer: withAccept("{ACCEPT}") + "\r\n"}
		s.fails(t, "ws://a.test/", nil)
	})
}

// What is no HTTP/1.1 answer, or has no end.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
func TestSection4_1NoAnswers(t *testing.T) {
	for name, answer := range map[string]string{
		"a preface of HTTP/2":           "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"a status line without version": "101 Switching Protocols\r\n\r\n",
		"a status of two digits":        "HTTP/1.1 10 Yes\r\n\r\n",
		"a status of four digits":       "HTTP/1.1 1010 Yes\r\n\r\n",
		"a status of letters":           "HTTP/1.1 abc Yes\r\n\r\n",
		"a status with a sign":          "HTTP/1.1 +10 Yes\r\n\r\n",
		"a status line of 100 KiB":      "HTTP/1.1 101 " + strings.Repeat("a", 100<<10) + "\r\n\r\n",
		"an empty line":                 "\r\n" + good + "\r\n",
	} {
		conformance.Rule(t, "4.1", "no answer: "+name, func(t *testing.T) {
			s := &scripted{answer: answer}
			want(t, "the status", s.fails(t, "ws://a.test/", nil).StatusCode, 0)
		})
	}
	for name, answer := range map[string]string{
		"a line without a colon":     statusLine + "X: a\r\nnonsense\r\n\r\n",
		"a field without a name":     statusLine + "X: a\r\n: a\r\n\r\n",
		"a fold at the beginning":    statusLine + " a: b\r\n" + upgrade + connection + accepted + "\r\n",
		"a control character":        good + "Y: a\x00b\r\n\r\n",
		"a header of 100 KiB":        good + "X: " + strings.Repeat("a", 100<<10) + "\r\n\r\n",
		"10,000 fields":              good + strings.Repeat("X: a field\r\n", 10_000) + "\r\n",
		"a header that grows slowly": strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: "+strings.Repeat("a", 1000)+"\r\n\r\n", 60) + good + "X: " + strings.Repeat("a", 10<<10) + "\r\n\r\n",
	} {
		inPieces(t, "4.1", "no header: "+name, func(t *testing.T, piece int) {
			s := &scripted{answer: answer, piece: 100 * piece}
			err := s.fails(t, "ws://a.test/", nil)
			want(t, "the status", err.StatusCode, 101)
			want(t, "that there is a header", err.Header != nil, true)
			if err.Err == nil || strings.Contains(err.Error(), "HTTP") {
				t.Errorf("the error is %v", err)
			}
		})
	}
	for name, answer := range map[string]string{
		"silence":                    "",
		"settings of HTTP/2":         "\x00\x00\x0c\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00\x04\x00\x01\x00\x00",
		"frames at once":             frames,
		"an answer without an end":   good,
		"an answer less one byte":    good + "\r",
		"interim answers and no end": strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 3),
	} {
		conformance.Rule(t, "4.1", "no answer in time: "+name, func(t *testing.T) {
			s := &scripted{answer: answer}
			_, err := Dial(t.Context(), "ws://a.test/", s.options(t, nil))
			if !errors.As(err, new(*result.ConnectionFailed)) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Dial ended with %v, want a *result.ConnectionFailed around %v", err, context.DeadlineExceeded)
			}
			want(t, "what was sent behind the request", len(s.last().behind), 0)
		})
	}
}

// "If the status code received from the server is not 101, the client handles
// the response per HTTP [RFC2616] procedures. In particular, the client might
// perform authentication if it receives a 401 status code; the server might
// redirect the client using a 3xx status code".
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
func TestSection4_1Status(t *testing.T) {
	for _, status := range []string{
		"200 OK", "201 Created", "300 Multiple Choices", "304 Not Modified", "400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found",
		"407 Proxy Authentication Required", "426 Upgrade Required", "429 Too Many Requests", "500 Internal Server Error", "503 Service Unavailable", "599 What",
	} {
		for _, length := range []int{0, 5, 1025, 8192, 8193, 100_000} {
			if status[:3] == "304" && length > 0 {
				continue // it has no body
			}
			inPieces(t, "4.1", fmt.Sprintf("%s with %d bytes", status, length), func(t *testing.T, piece int) {
				if piece > 0 {
					piece = 100
				}
				body := strings.Repeat("sorry", length/5+1)[:length]
				s := &scripted{piece: piece, answer: fmt.Sprintf("HTTP/1.1 %s\r\n%s%s%sX-Why: so\r\nSec-WebSocket-Version: 13, 8\r\nContent-Length: %d\r\n\r\n%s",
					status, upgrade, connection, accepted, length, body)}
				err := s.fails(t, "ws://a.test/", nil)
				want(t, "the status", fmt.Sprint(err.StatusCode), status[:3])
				want(t, "the header", err.Header.Get("X-Why")+" "+err.Header.Get("Sec-WebSocket-Version"), "so 13, 8")
				want(t, "the body", string(err.Body), body[:min(length, 8192)])
			})
		}
	}
	for _, version := range []string{"HTTP/1.0", "HTTP/2.0"} {
		conformance.Rule(t, "4.1", "403 of "+version, func(t *testing.T) {
			s := &scripted{answer: version + " 403 Forbidden\r\n\r\n"}
			want(t, "the status", s.fails(t, "ws://a.test/", nil).StatusCode, 403)
		})
	}
	for _, status := range []string{"301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"} {
		conformance.Rule(t, "4.1", "a redirect with "+status, func(t *testing.T) {
			s := &scripted{first: "HTTP/1.1 " + status + "\r\nLocation: ws://b.test/c?d\r\nContent-Length: 0\r\n\r\n", answer: good + "\r\n"}
			s.opens(t, "ws://a.test/", nil)
			want(t, "the second address", s.last().address, "b.test:80")
			second := s.last().request
			want(t, "the second request", strings.HasPrefix(second, "GET /c?d HTTP/1.1\r\n"), true)
			for _, field := range []string{"Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"} {
				want(t, field+" in the second request", len(values(second, field)), 1)
			}
		})
	}
}

// "If the response includes a |Sec-WebSocket-Protocol| header field and this
// header field indicates the use of a subprotocol that was not present in the
// client's handshake [...], the client MUST _Fail the WebSocket Connection_."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
func TestSection4_1Subprotocols(t *testing.T) {
	offers := []string{"chat", "v2.chat"}
	for _, tt := range []struct {
		name, lines string
		offered     []string
		chosen      string
		fails       bool
	}{
		{"none chosen", "", offers, "", false},
		{"the first", "Sec-WebSocket-Protocol: chat\r\n", offers, "chat", false},
		{"the second", "Sec-WebSocket-Protocol: v2.chat\r\n", offers, "v2.chat", false},
		{"white space around it", "Sec-WebSocket-Protocol: \tchat \r\n", offers, "chat", false},
		{"in another case", "Sec-WebSocket-Protocol: Chat\r\n", offers, "", true},
		{"not offered", "Sec-WebSocket-Protocol: smoke\r\n", offers, "", true},
		{"none offered", "Sec-WebSocket-Protocol: chat\r\n", nil, "", true},
		{"a beginning of one", "Sec-WebSocket-Protocol: cha\r\n", offers, "", true},
		{"both, as a list", "Sec-WebSocket-Protocol: chat, v2.chat\r\n", offers, "", true},
		{"the offer echoed", "Sec-WebSocket-Protocol: chat,v2.chat\r\n", offers, "", true},
		{"one twice", "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n", offers, "", true},
		{"both, in two fields", "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: v2.chat\r\n", offers, "", true},
		{"an empty one", "Sec-WebSocket-Protocol:\r\n", offers, "", true},
		{"in quotes", "Sec-WebSocket-Protocol: \"chat\"\r\n", offers, "", true},
	} {
		inPieces(t, "4.1", "the subprotocol: "+tt.name, func(t *testing.T, piece int) {
			s := &scripted{answer: good + tt.lines + "\r\n", piece: piece}
			opts := &Options{Operators: none, Subprotocols: tt.offered}
			if tt.fails {
				want(t, "the status", s.fails(t, "ws://a.test/", opts).StatusCode, 101)
				return
			}
			want(t, "the subprotocol", s.opens(t, "ws://a.test/", opts).Subprotocol(), tt.chosen)
		})
	}
}

// "If the response includes a |Sec-WebSocket-Extensions| header field and this
// header field indicates the use of an extension that was not present in the
// client's handshake [...], the client MUST _Fail the WebSocket Connection_."
// What does not conform to the grammar is not to be taken either.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-9.1
func TestSection9_1Answers(t *testing.T) {
	const key = "Sec-WebSocket-Extensions: "
	deflates := []stream.Operator{deflate.New(nil)}
	two := []stream.Operator{testExtension{offers: []string{"x; a"}}, testExtension{offers: []string{"y"}}}
	for _, tt := range []struct {
		section, name, lines string
		operators            []stream.Operator
		fails                bool
	}{
		{"4.1", "not answered", "", deflates, false},
		{"4.1", "one that was offered", key + "permessage-deflate\r\n", deflates, false},
		{"4.1", "one that was not offered", key + "x\r\n", deflates, true},
		{"4.1", "one, where none was offered", key + "permessage-deflate\r\n", none, true},
		{"4.1", "one that was offered and one that was not", key + "permessage-deflate, x\r\n", deflates, true},
		{"4.1", "in another case", key + "Permessage-Deflate\r\n", deflates, true},
		{"9.1", "with a parameter", key + "permessage-deflate; server_max_window_bits=10\r\n", deflates, false},
		{"9.1", "with a quoted parameter", key + "permessage-deflate; server_max_window_bits=\"10\"\r\n", deflates, false},
		{"9.1", "with an escape in quotes", key + "permessage-deflate; server_max_window_bits=\"1\\0\"\r\n", deflates, false},
		{"9.1", "with white space wherever it may stand", key + " permessage-deflate\t; server_max_window_bits = 10 ; client_no_context_takeover \r\n", deflates, false},
		{"9.1", "with a wrong parameter", key + "permessage-deflate; x=1\r\n", deflates, true},
		{"9.1", "with a parameter's value out of range", key + "permessage-deflate; server_max_window_bits=16\r\n", deflates, true},
		{"9.1", "with a parameter twice", key + "permessage-deflate; client_no_context_takeover; client_no_context_takeover\r\n", deflates, true},
		{"9.1", "twice in a list", key + "permessage-deflate, permessage-deflate\r\n", deflates, true},
		{"9.1", "twice in two fields", key + "permessage-deflate\r\n" + key + "permessage-deflate\r\n", deflates, true},
		{"9.1", "two in a list", key + "x, y\r\n", two, false},
		{"9.1", "two in two fields", key + "y\r\n" + key + "x\r\n", two, false},
		{"9.1", "a list with empty elements", key + ", x,, y ,\r\n", two, false},
		{"9.1", "one of two", key + "y; b=c\r\n", two, false},
		{"9.1", "a parameter without a name", key + "x; =1\r\n", two, true},
		{"9.1", "a parameter without a value", key + "x; a=\r\n", two, true},
		{"9.1", "a parameter with an empty value", key + "x; a=\"\"\r\n", two, true},
		{"9.1", "a quoted value that is no token", key + "x; a=\"b c\"\r\n", two, true},
		{"9.1", "a quoted comma", key + "x; a=\"b, y\"\r\n", two, true},
		{"9.1", "a quote that does not end", key + "x; a=\"b\r\n", two, true},
		{"9.1", "a semicolon at the end", key + "x;\r\n", two, true},
		{"9.1", "two names", key + "x y\r\n", two, true},
		{"9.1", "a name in quotes", key + "\"x\"\r\n", two, true},
		{"9.1", "a name with a value", key + "x=1\r\n", two, true},
		{"9.1", "bytes beyond ASCII", key + "x; a=\xc3\xa9\r\n", two, true},
	} {
		inPieces(t, tt.section, "the extension: "+tt.name, func(t *testing.T, piece int) {
			s := &scripted{answer: good + tt.lines + "\r\n", piece: piece}
			opts := &Options{Operators: tt.operators}
			if !tt.fails {
				s.opens(t, "ws://a.test/", opts)
				return
			}
			err := s.fails(t, "ws://a.test/", opts)
			want(t, "the status", err.StatusCode, 101)
			if err.Err == nil {
				t.Errorf("nothing says why: %v", err)
			}
		})
	}
}

// Once the answer is verified "the WebSocket Connection is Established": what
// came in the same segment is the connection's, to the last byte.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
func TestSection4_1DataBehind(t *testing.T) {
	const close1000 = "\x88\x02\x03\xe8"
	kilo := strings.Repeat("a", 1000)
	for name, tt := range map[string]struct {
		frames string
		want   []string
		status result.Status
		pong   bool
	}{
		"a close alone":                  {close1000, nil, result.Status{Code: 1000}, false},
		"a close without a code":         {"\x88\x00", nil, result.Status{Code: 1005}, false},
		"a close with a reason":          {"\x88\x05\x03\xe8bye", nil, result.Status{Code: 1000, Reason: "bye"}, false},
		"a message and a close":          {"\x81\x02hi" + close1000, []string{"hi"}, result.Status{Code: 1000}, false},
		"messages, fragments and a ping": {"\x82\x01a\x01\x01b\x89\x01p\x80\x01c\x81\x00" + close1000, []string{"a", "bc", ""}, result.Status{Code: 1000}, true},
		"more than a buffer of net/http": {strings.Repeat("\x81\x7e\x03\xe8"+kilo, 20) + close1000, slices.Repeat([]string{kilo}, 20), result.Status{Code: 1000}, false},
	} {
		for _, piece := range []int{0, 1, 4096, len(good) - len("{accept}") + 28 + 2 + 3} { // the last one cuts the first frames
			conformance.Rule(t, "4.1", fmt.Sprintf("behind the answer: %s/pieces of %d", name, piece), func(t *testing.T) {
				s := &scripted{answer: good + "\r\n" + tt.frames, piece: piece}
				conn, err := Dial(t.Context(), "ws://a.test/", s.options(t, nil))
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for m, err := range conn.All(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, string(m.Data))
				}
				want(t, "the messages", got, tt.want)
				status, _ := conn.Result().Status()
				want(t, "the code and the reason", status.String(), tt.status.String())
				conn.CloseNow(nil)
				want(t, "a Pong was sent", strings.HasPrefix(string(s.last().behind), "\x8a\x81"), tt.pong)
			})
		}
	}
}
