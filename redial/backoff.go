package redial

import (
	"errors"
	"time"

	"github.com/wsflow/wsflow/internal/backoff"
	"github.com/wsflow/wsflow/result"
)

// The defaults of Backoff.
const (
	defaultFirst = time.Second
	defaultMost  = 30 * time.Second
)

// Backoff returns a function for Options.Retry. It draws each wait at random from 0
// up to a bound, which is first for the first wait, doubles with each failure, and
// is never above most: thousands of clients of a server that restarts do not come
// back at the same moment. Where the server said how long to wait, as a
// *dial.HandshakeError with a Retry-After does, what is drawn comes on top of that.
//
// It says no to what is [Final].
//
// A first that is not positive means 1 s, a most that is not positive 30 s. A most
// below first counts as first.
//
// "To avoid this, clients SHOULD use some form of backoff when trying to reconnect
// after abnormal closures [...]. The first reconnect attempt SHOULD be delayed by a
// random amount of time."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.2.3
func Backoff(first, most time.Duration) func(n int, err error) (wait time.Duration, again bool) {
	if first <= 0 {
		first = defaultFirst
	}
	if most <= 0 {
		most = defaultMost
	}
	most = max(most, first)
	return func(n int, err error) (time.Duration, bool) {
		if Final(err) {
			return 0, false
		}
		return backoff.Wait(first, most, n, err), true
	}
}

// Final reports that dialing again will not help. That is so for
//
//   - nil, a connection that ended with success, as the server had no more to say;
//   - a *[result.ArgumentError] and a *[result.General]: the program is to be changed;
//   - an error with a method Final that returns true, as a *dial.HandshakeError
//     for a 4xx other than 408, 425 and 429;
//   - a *[result.CloseError] with a code by which the server says that it does not
//     take what this client sends: 1002, 1003 and 1007 to 1010.
//
// Everything else may pass: a name that does not resolve, a refused connection, TLS,
// a 5xx, a cut, silence, and all other close codes. What codes from 3000 on mean
// differs from server to server.
func Final(err error) bool {
	if err == nil || errors.As(err, new(*result.ArgumentError)) || errors.As(err, new(*result.General)) {
		return true
	}
	var answer interface{ Final() bool }
	if errors.As(err, &answer) {
		return answer.Final()
	}
	var closed *result.CloseError
	if !errors.As(err, &closed) {
		return false
	}
	switch closed.Code {
	case result.StatusProtocolError, result.StatusUnsupportedData, result.StatusInvalidPayload,
		result.StatusPolicyViolation, result.StatusMessageTooBig, result.StatusMandatoryExtension:
		return true
	}
	return false
}
