package mux

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Options say how a server's topics are spelled. Topic is required. Subscribe,
// Unsubscribe and Limiter never run at the same time; Topic may run beside one of
// them.
type Options[K comparable] struct {
	// Topic says which topic an inbound message is for, or which [Mux.Call] it
	// answers. It is called with each data message, which is lent to it, in
	// order; it must not block. False is for neither: the message goes to
	// [Mux.Unmatched].
	Topic func(m stream.Message) (key K, ok bool)

	// Subscribe makes the messages that subscribe to some topics, one or more: as few
	// messages as the server allows. The topics are in the order in which they got
	// their first taker. Nil is for a server that sends its topics unasked.
	Subscribe func(topics []K) []stream.Message

	// Unsubscribe is Subscribe's opposite. Nil is for a server on which a topic
	// stays subscribed to until the connection ends.
	Unsubscribe func(topics []K) []stream.Message

	// Limiter is waited for before each of these messages; several muxes may share
	// one. Most servers count messages in a rolling window, for which there is
	// [Window]. A *rate.Limiter of golang.org/x/time/rate fits as well, but lets
	// more through where its burst meets its rate. Nil means no waiting.
	Limiter interface {
		Wait(ctx context.Context) error
	}

	// Linger is how long a topic stays subscribed to after its last taker has
	// gone, so that one who comes soon costs the server nothing. Messages that
	// come meanwhile are dropped. Zero means not at all; it must not be negative.
	Linger time.Duration

	// Post runs the callbacks of topics and of Unmatched, and the continuations of their
	// promises, as stream.Options.Post does. Nil means goroutines of the mux.
	Post func(func())

	// Logger is told of messages that nobody takes and of messages that could not
	// be sent. Nil means no logging.
	Logger *zap.Logger
}

// check returns what is wrong with the arguments of New.
func (o *Options[K]) check(l Link) error {
	switch {
	case l == nil:
		return &result.ArgumentError{Name: "link of mux.New", Allowed: "a link, not nil"}
	case o.Topic == nil:
		return &result.ArgumentError{Name: "mux.Options.Topic", Allowed: "a function, not nil"}
	case o.Linger < 0:
		return &result.ArgumentError{Name: "mux.Options.Linger", Value: o.Linger, Allowed: "0 or more"}
	}
	return nil
}
