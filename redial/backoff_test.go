package redial

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/wsflow/wsflow/result"
)

// Waits are drawn from all of 0 to the bound.
func TestBackoffDraws(t *testing.T) {
	retry := Backoff(0, 0)
	for n, want := range []time.Duration{1: time.Second, 2: 2 * time.Second, 6: 30 * time.Second, 100: 30 * time.Second} {
		if want == 0 {
			continue
		}
		least, most := time.Duration(math.MaxInt64), time.Duration(0)
		for range 1000 {
			wait, again := retry(n, errDial)
			if !again {
				t.Fatal("it gave up")
			}
			least, most = min(least, wait), max(most, wait)
		}
		if least < 0 || least > want/10 || most >= want || most < want*9/10 {
			t.Errorf("waits %d lie from %v to %v, want them from 0 to %v", n, least, most, want)
		}
	}
	if wait, _ := Backoff(time.Minute, time.Second)(5, errDial); wait >= time.Minute {
		t.Errorf("where most is less than first, it waits %v", wait)
	}
}

// asking is a server's answer that says how long to wait.
type asking time.Duration

func (a asking) Error() string             { return "busy" }
func (a asking) RetryAfter() time.Duration { return time.Duration(a) }
func (a asking) Final() bool               { return false }

// What is drawn comes on top of what the server asked for.
func TestBackoffRetryAfter(t *testing.T) {
	busy := &result.ConnectionFailed{Err: fmt.Errorf("answer: %w", asking(7*time.Second))}
	if wait, again := Backoff(time.Second, time.Second)(1, busy); !again || wait < 7*time.Second || wait >= 8*time.Second {
		t.Errorf("asked for 7 s it waits %v", wait)
	}
}

// refusing is a server's answer that may be final.
type refusing bool

func (r refusing) Error() string { return "no" }
func (r refusing) Final() bool   { return bool(r) }

func TestFinal(t *testing.T) {
	argument := &result.ArgumentError{Name: "url", Allowed: "a URL"}
	final := []error{
		nil, argument, &result.General{Err: errDial}, &result.ConnectionFailed{Err: argument},
		&result.ConnectionFailed{Err: refusing(true)}, &Error{Causes: []error{errDial, refusing(true)}},
	}
	passing := []error{
		errDial, errCut, errOwnClose, errors.New(""), &result.ConnectionFailed{Err: refusing(false)},
	}
	for code := result.StatusCode(1000); code < 5000; code++ {
		err := &result.CloseError{Code: code}
		switch {
		case code == 1002, code == 1003, code >= 1007 && code <= 1010:
			final = append(final, err)
		default:
			passing = append(passing, err)
		}
	}
	for _, err := range final {
		if _, again := Backoff(0, 0)(1, err); !Final(err) || again {
			t.Errorf("%v is not final", err)
		}
	}
	for _, err := range passing {
		if _, again := Backoff(0, 0)(1, err); Final(err) || !again {
			t.Errorf("%v is final", err)
		}
	}
}
