package main

import (
	"context"
	"iter"
	"math/rand/v2"

	"github.com/wsflow/wsflow/stream"
)

// A source has what the takers need.
type source interface {
	All(context.Context) iter.Seq2[stream.Message, error]
	Chan(context.Context, *stream.SubscribeOptions) *stream.Subscription[stream.Message]
	Batches(context.Context, *stream.SubscribeOptions) *stream.Subscription[[]stream.Message]
	Pause() (resume func())
}

// A hand takes messages from a source, in one way after another, and gives each to
// check with the number of those that a policy dropped before it.
type hand struct {
	src    source
	random *rand.Rand
	check  func(m stream.Message, missing uint64) error
	lost   func(missing uint64) // what was dropped behind the last one; nil where nothing may be dropped
}

// drain takes messages until the source has ended, and returns its error, or that of
// check.
func (h *hand) drain() error {
	ways := []func(most int) (over bool, err error){h.all, h.channel, h.batches, h.paused}
	if h.lost != nil {
		ways = append(ways, h.lossy)
	}
	for {
		over, err := ways[h.random.IntN(len(ways))](1 + h.random.IntN(2000))
		if over || err != nil {
			return err
		}
	}
}

// all takes with a loop.
func (h *hand) all(most int) (over bool, err error) {
	for m, err := range h.src.All(context.Background()) {
		if err == nil {
			err = h.check(m, 0)
		}
		if err != nil {
			return true, err
		}
		dawdle(h.random)
		if most--; most == 0 {
			return false, nil
		}
	}
	return true, nil
}

// channel takes from a channel, and then what stands in it.
func (h *hand) channel(most int) (over bool, err error) {
	sub := h.src.Chan(context.Background(), &stream.SubscribeOptions{Size: 1 + h.random.IntN(64)})
	return h.empty(sub, most)
}

// lossy does the same with a policy that drops.
func (h *hand) lossy(most int) (over bool, err error) {
	policy := []stream.Policy{stream.DropOldest, stream.DropNewest, stream.Latest}[h.random.IntN(3)]
	sub := h.src.Chan(context.Background(), &stream.SubscribeOptions{Size: 1 + h.random.IntN(16), Policy: policy})
	return h.empty(sub, most)
}

// paused begins with a pause.
func (h *hand) paused(most int) (over bool, err error) {
	resume := h.src.Pause()
	sub := h.src.Chan(context.Background(), nil)
	dawdle(h.random)
	resume()
	return h.empty(sub, most)
}

func (h *hand) empty(sub *stream.Subscription[stream.Message], most int) (over bool, err error) {
	defer sub.Cancel()
	dropped := uint64(0)
	for m := range sub.C {
		dropped += m.Skipped()
		err := h.check(m, m.Skipped())
		if m.Release(); err != nil {
			return true, err
		}
		dawdle(h.random)
		if most--; most == 0 {
			sub.Cancel()
		}
	}
	if h.lost != nil {
		h.lost(sub.Dropped() - dropped)
	}
	if err := sub.Err(); err != context.Canceled {
		return true, err
	}
	return false, nil
}

// batches takes from a channel of batches.
func (h *hand) batches(most int) (over bool, err error) {
	sub := h.src.Batches(context.Background(), nil)
	defer sub.Cancel()
	for batch := range sub.C {
		for _, m := range batch {
			if err := h.check(m, 0); err != nil {
				return true, err
			}
		}
		most -= len(batch)
		for _, m := range batch {
			m.Release()
		}
		dawdle(h.random)
		if most <= 0 {
			sub.Cancel()
		}
	}
	if err := sub.Err(); err != context.Canceled {
		return true, err
	}
	return false, nil
}
