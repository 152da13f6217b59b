package stream

import (
	"context"
	"fmt"
	"iter"

	"github.com/reactivex/rxgo/v2"
	"github.com/wsflow/wsflow/result"
)

// Decode turns messages into values: decode is called with the bytes of each
// message and a *T to fill in, as json.Unmarshal wants them. It must not keep
// the bytes.
//
//	for trade, err := range stream.Decode[Trade](conn.All(ctx), json.Unmarshal) { ... }
//
// A message for which decode returns an error gives a zero T and a
// *[DecodeError], and a [Notice] a *[GapError]; the loop goes on with the next
// message. Other errors are those of seq, whose loop ends then.
func Decode[T any](seq iter.Seq2[Message, error], decode func([]byte, any) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if decode == nil {
			var none T
			yield(none, errNoDecode)
			return
		}
		for m, err := range seq {
			var v T
			if err == nil {
				v, err = decodeOne[T](m, decode)
			}
			if !yield(v, err) {
				return
			}
		}
	}
}

// Decoder is [Decode] for the Map of an Observable of messages: its items become
// those of type T. A bad message is a *[DecodeError], and a [Notice] a *[GapError],
// which ends the pipeline unless Map is told to go on:
//
//	trades := conn.Observable(nil).Map(stream.Decoder[Trade](json.Unmarshal),
//		rxgo.WithErrorStrategy(rxgo.ContinueOnError))
func Decoder[T any](decode func([]byte, any) error) rxgo.Func {
	return func(_ context.Context, item any) (any, error) {
		m, ok := item.(Message)
		switch {
		case decode == nil:
			return nil, errNoDecode
		case !ok:
			return nil, &result.ArgumentError{Name: "item of stream.Decoder", Value: fmt.Sprintf("a %T", item), Allowed: "a stream.Message"}
		}
		v, err := decodeOne[T](m, decode)
		if err != nil {
			return nil, err
		}
		return v, nil
	}
}

var errNoDecode = &result.ArgumentError{Name: "decode", Allowed: "a function, not nil"}

func decodeOne[T any](m Message, decode func([]byte, any) error) (v T, err error) {
	if m.Type == Notice {
		return v, &GapError{Origin: m.Origin(), Gap: m.Gap()}
	}
	if err := decode(m.Data, &v); err != nil {
		var none T
		return none, &DecodeError{Message: m.Clone(), Err: err}
	}
	return v, nil
}

// A DecodeError reports a message that could not be decoded. The connection goes
// on.
type DecodeError struct {
	Message Message // a copy, which the receiver of the error owns
	Err     error   // what decode returned
}

// Error returns a text that does not show the message.
func (e *DecodeError) Error() string {
	return fmt.Sprintf("wsflow: a %v message of %d bytes cannot be decoded: %v", e.Message.Type, len(e.Message.Data), e.Err)
}

// Unwrap returns Err.
func (e *DecodeError) Unwrap() error { return e.Err }
