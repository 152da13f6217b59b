package stream

import (
	"errors"
	"strconv"
	"time"

	"github.com/wsflow/wsflow/result"
)

// SubscribeOptions describe the queue between the connection and one subscriber.
// A nil pointer and zero fields mean the defaults. A negative number means no
// bound where the field says so, and is refused otherwise. Options are never
// modified and may be used for many subscriptions.
type SubscribeOptions struct {
	// Size is how many messages the queue holds, or how many batches, at most
	// 16,777,216. Zero means 64 messages, or 16 batches. Latest always has 1.
	Size int
	// Bytes is how many bytes of messages the queue holds; it always has room for one
	// message or batch. Zero means 4 MiB; negative means no bound. If this bound is
	// reached before Size is, a Block subscriber's next message may come late: by up to
	// a millisecond, or by a sixteenth of the time that it has waited for room, but by
	// no more than 100 ms.
	Bytes int
	// Policy says what happens when the queue is full.
	Policy Policy
	// Timeout is how long a full queue of a Block subscriber may stand still
	// before the subscription ends with ErrSlow. Zero means for ever; a warning
	// is logged after 10 s. With any other policy it must be zero.
	Timeout time.Duration
}

// A Policy says what happens to a message for which a subscriber's queue has
// no room. Batches are dropped whole.
type Policy int

const (
	// Block holds the connection back until there is room; nothing is lost.
	// What one Block subscriber holds up, it holds up for all: the messages
	// that come later are not read yet. Subscribers with other policies have
	// got all that was read before.
	Block Policy = iota
	// DropOldest drops the message that waits longest.
	DropOldest
	// DropNewest drops the message that came last.
	DropNewest
	// Latest keeps the last message only, or the last batch.
	Latest
	// Fail ends the subscription with ErrSlow.
	Fail
)

// String returns the name of the policy, such as "DropOldest".
func (p Policy) String() string {
	names := [...]string{"Block", "DropOldest", "DropNewest", "Latest", "Fail"}
	if p < Block || int(p) >= len(names) {
		return "Policy(" + strconv.Itoa(int(p)) + ")"
	}
	return names[p]
}

// ErrSlow ends a subscription that did not take its messages in time: at once
// under Fail, after SubscribeOptions.Timeout under Block.
var ErrSlow = errors.New("wsflow: the subscriber is too slow")

// The default sizes. That of batches keeps what is under way in a processor's
// cache: 16 of them may be 4096 messages.
const (
	defaultQueueSize = 64
	defaultBatches   = 16

	defaultQueueBytes = 4 << 20
)

// maxQueueSize bounds what a channel may hold: its memory is taken at once, and
// more than there is ends the program.
const maxQueueSize = 1 << 24

// complete returns the queue with defaults in place of zeros.
func (o *SubscribeOptions) complete(size int) (SubscribeOptions, error) {
	var all SubscribeOptions
	if o != nil {
		all = *o
	}
	switch {
	case all.Size < 0 || all.Size > maxQueueSize:
		return all, &result.ArgumentError{Name: "stream.SubscribeOptions.Size", Value: all.Size, Allowed: "1 to 16777216, or 0 for the default"}
	case all.Policy < Block || all.Policy > Fail:
		return all, &result.ArgumentError{Name: "stream.SubscribeOptions.Policy", Value: all.Policy, Allowed: "Block, DropOldest, DropNewest, Latest or Fail"}
	case all.Timeout < 0 || all.Timeout > 0 && all.Policy != Block:
		return all, &result.ArgumentError{Name: "stream.SubscribeOptions.Timeout", Value: all.Timeout, Allowed: "0 for no timeout, or with the policy Block a positive duration"}
	}
	setDefault(&all.Size, size)
	setDefault(&all.Bytes, defaultQueueBytes)
	if all.Policy == Latest {
		all.Size = 1
	}
	return all, nil
}
