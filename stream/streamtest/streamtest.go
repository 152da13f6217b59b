// Package streamtest checks that an operator does what [stream.Operator] asks
// of it, as testing/slogtest does for log handlers.
//
// In the test of an operator:
//
//	func TestHeartbeat(t *testing.T) {
//		op := heartbeat.New(nil)
//		streamtest.Run(t, func() (client, server stream.Operator) { return op, op })
//	}
package streamtest

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/stream"
)

// A Pair returns an operator as each side of a connection has it after the
// opening handshake: one that transforms what it sends needs a peer that turns
// it back. Either may be nil, for an operator that only one side has, and both
// may be the same value, as may what further calls return.
type Pair func() (client, server stream.Operator)

// patience is how long a check waits for what does not come, by the clock of
// its bubble.
const patience = time.Minute

// Run checks each pair alone: that messages of all sizes arrive unchanged and
// in order, whole and in fragments, from one sender and from several, between
// control frames; that no payload is changed or kept; that the closing
// handshake passes; that one value serves several connections; that the
// operator leaves no goroutine behind; and that it allocates nothing for a
// message if it has no hook for data. The last is skipped under the race
// detector, under which pools forget on purpose.
//
// Then it checks that the pairs compose, in any order and subset, with each
// other and with two operators of its own, one that counts frames and one that
// injects them. The number of these arrangements grows as a factorial: 65 for
// two pairs, 326 for three.
//
// Most checks run in bubbles of testing/synctest, over in-memory connections,
// so that time costs nothing. What waits for something outside of its bubble
// is waited for.
func Run(t *testing.T, pairs ...Pair) {
	t.Helper()
	for i, p := range pairs {
		t.Run("operator "+strconv.Itoa(i), func(t *testing.T) { alone(t, p) })
	}
	t.Run("composed", func(t *testing.T) { composed(t, pairs) })
}

func alone(t *testing.T, p Pair) {
	if !t.Run("leaves nothing", func(t *testing.T) { check(t, leavesNothing(p)) }) {
		return // a bubble cannot end while a goroutine in it waits for ever
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(ctx context.Context) error { return c.run(ctx, p) })
		})
	}
	t.Run("allocations", func(t *testing.T) {
		if raceDetector {
			t.Skip("pools forget on purpose under the race detector")
		}
		bubble(t, func(ctx context.Context) error { return allocatesNothing(ctx, p) })
	})
}

func composed(t *testing.T, pairs []Pair) {
	for _, a := range arrangements(parts(pairs)) {
		t.Run(a.name(), func(t *testing.T) {
			bubble(t, func(ctx context.Context) error { return composes(ctx, a) })
		})
	}
}

// bubble runs a check in a bubble, with a context that ends its waiting.
func bubble(t *testing.T, run func(context.Context) error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		check(t, run(ctx))
	})
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// checks are those that run in a bubble. None of them needs another.
var checks = []struct {
	name string
	run  func(context.Context, Pair) error
}{
	{"messages", passesMessages},
	{"messages in small pieces", passesFragments},
	{"messages between control frames", passesBetweenControls},
	{"messages of many senders", passesManySenders},
	{"closing", passesClosing},
	{"connections at the same time", servesMany},
}
