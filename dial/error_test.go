package dial

import (
	"errors"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/wsflow/wsflow/result"
)

// https://www.rfc-editor.org/rfc/rfc9110.html#section-10.2.3
func TestRetryAfter(t *testing.T) {
	const minute = "Fri, 31 Dec 1999 23:59:59 GMT"
	for _, tt := range []struct {
		after, date string
		want        time.Duration
	}{
		{"", "", 0},
		{"120", "", 2 * time.Minute},
		{"0", "", 0},
		{"007", minute, 7 * time.Second},
		{"-1", "", 0},
		{"1.5", "", 0},
		{"soon", "", 0},
		{"9223372036", "", 9223372036 * time.Second},
		{"9223372037", "", math.MaxInt64},
		{"99999999999999999999999", "", math.MaxInt64},
		{minute, "Fri, 31 Dec 1999 23:58:59 GMT", time.Minute},
		{minute, "Fri, 31 Dec 1999 23:58:59 GMT", time.Minute},
		{"Friday, 31-Dec-99 23:59:59 GMT", "Fri, 31 Dec 1999 23:58:59 GMT", time.Minute},
		{"Fri Dec 31 23:59:59 1999", "Fri, 31 Dec 1999 23:58:59 GMT", time.Minute},
		{minute, minute, 0},
		{minute, "Sat, 01 Jan 2000 00:00:00 GMT", 0},
		{minute, "", 0},
		{minute, "now", 0},
	} {
		h := http.Header{}
		for key, value := range map[string]string{"Retry-After": tt.after, "Date": tt.date} {
			if value != "" {
				h.Set(key, value)
			}
		}
		want(t, tt.after+" on "+tt.date, (&HandshakeError{StatusCode: 503, Header: h}).RetryAfter(), tt.want)
	}
	want(t, "without a header", (&HandshakeError{}).RetryAfter(), time.Duration(0))
	in := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	if d := (&HandshakeError{Header: http.Header{"Retry-After": {in}}}).RetryAfter(); d < 59*time.Minute || d > time.Hour {
		t.Errorf("an hour from now is %v", d)
	}
}

func TestFinal(t *testing.T) {
	for status, final := range map[int]bool{
		0: false, 101: false, 200: false, 302: false, 500: false, 503: false, 599: false,
		400: true, 401: true, 403: true, 404: true, 407: true, 426: true, 451: true, 499: true,
		408: false, 425: false, 429: false,
	} {
		want(t, http.StatusText(status), (&HandshakeError{StatusCode: status}).Final(), final)
	}
}

// Whoever dials again needs no more than two small interfaces.
func TestRetryAdviceIsFound(t *testing.T) {
	addr := listen(t, answers(func(*http.Request) string {
		return "HTTP/1.1 429 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"
	}))
	_, err := Dial(t.Context(), "ws://"+addr, nil)
	var waits interface{ RetryAfter() time.Duration }
	var ends interface{ Final() bool }
	if !errors.As(err, new(*result.ConnectionFailed)) || !errors.As(err, &waits) || !errors.As(err, &ends) {
		t.Fatalf("the dial ended with %v", err)
	}
	want(t, "how long to wait", waits.RetryAfter(), 7*time.Second)
	want(t, "that it is final", ends.Final(), false)
}
