package result_test

import (
	"errors"
	"math"
	"testing"

	"github.com/wsflow/wsflow/result"
)

// "1004, 1005, 1006 and 1015 [...] MUST NOT be set as a status code in a Close
// control frame", and the ranges that nobody has given a meaning are not used.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.4.2
func TestSendable(t *testing.T) {
	ranges := []struct {
		first, last result.StatusCode
		sendable    bool
	}{
		{-1000, 999, false},
		{1000, 1003, true}, {1004, 1006, false}, {1007, 1014, true}, {1015, 1015, false},
		{1016, 2999, false}, {3000, 4999, true}, {5000, 70000, false},
		{math.MinInt, math.MinInt, false}, {math.MaxInt, math.MaxInt, false},
		{65536 + 1000, 65536 + 1000, false}, // 1000, if it were cut to 16 bits
	}
	for _, r := range ranges {
		for c := r.first; ; c++ {
			if c.Sendable() != r.sendable {
				t.Errorf("StatusCode(%d).Sendable() = %t", c, !r.sendable)
			}
			if c == r.last {
				break
			}
		}
	}
}

func TestStatusCodes(t *testing.T) {
	for code, want := range map[result.StatusCode]int{
		result.StatusNormalClosure: 1000, result.StatusGoingAway: 1001, result.StatusProtocolError: 1002,
		result.StatusUnsupportedData: 1003, result.StatusNoStatusRcvd: 1005, result.StatusAbnormalClosure: 1006,
		result.StatusInvalidPayload: 1007, result.StatusPolicyViolation: 1008, result.StatusMessageTooBig: 1009,
		result.StatusInternalError: 1011,
	} {
		if int(code) != want {
			t.Errorf("%d is not %d", code, want)
		}
	}
}

func TestStatusString(t *testing.T) {
	for want, s := range map[string]result.Status{
		`0 ""`:           {},
		`1000 "done"`:    {Code: 1000, Reason: "done"},
		`1005 ""`:        {Code: 1005, Err: errors.New("not shown")},
		`4001 "a\r\n\""`: {Code: 4001, Reason: "a\r\n\""},
	} {
		if got := s.String(); got != want {
			t.Errorf("the status is %s, want %s", got, want)
		}
	}
}
