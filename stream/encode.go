package stream

import (
	"context"

	"github.com/wsflow/wsflow/result"
)

// Encode turns a function that sends messages into one that sends values: the
// counterpart of [Decode]. send is [Conn.Send] or another function of its kind,
// typ is Text or Binary, and encode makes the payload, as json.Marshal does.
//
//	send := stream.Encode(conn.Send, stream.Text, json.Marshal)
//	err := send(ctx, order)
//
// T is what encode takes: any for json.Marshal. An encode that takes one type
// alone lets the compiler refuse all others.
//
// The error is that of encode, and then nothing was sent, or that of send. A nil
// send or encode gives a *result.ArgumentError. The function may be called from
// many goroutines if send and encode may.
func Encode[T any](send func(context.Context, Message) error, typ Type, encode func(T) ([]byte, error)) func(context.Context, T) error {
	return func(ctx context.Context, v T) error {
		switch {
		case send == nil:
			return &result.ArgumentError{Name: "send of stream.Encode", Allowed: "a function, not nil"}
		case encode == nil:
			return &result.ArgumentError{Name: "encode of stream.Encode", Allowed: "a function, not nil"}
		}
		data, err := encode(v)
		if err != nil {
			return err
		}
		return send(ctx, Message{Type: typ, Data: data})
	}
}
