package stream_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

func TestEncodeSendsValues(t *testing.T) {
	bubble(t, "json", func(t *testing.T) {
		p := script.Client(t, nil)
		send := stream.Encode(p.Conn.Send, stream.Text, json.Marshal)
		if err := send(ctx, pair{1, 2}); err != nil {
			t.Error(err)
		}
		if err := send(ctx, func() {}); !errors.As(err, new(*json.UnsupportedTypeError)) {
			t.Errorf("a value without an encoding gives %v, want the error of json.Marshal", err)
		}
		if err := send(ctx, "next"); err != nil {
			t.Error(err)
		}
		p.Wants("the first value", script.Text(`{"A":1,"B":2}`))
		p.Wants("what has an encoding", script.Text(`"next"`))
	})
	bubble(t, "a type of one's own", func(t *testing.T) {
		p := script.Client(t, nil)
		send := stream.Encode(p.Conn.Send, stream.Binary, func(p pair) ([]byte, error) { return []byte{byte(p.A), byte(p.B)}, nil })
		if err := send(ctx, pair{1, 2}); err != nil {
			t.Error(err)
		}
		p.Wants("the bytes", script.Binary("\x01\x02"))
	})
}

// What send refuses is its error, and it gets the context.
func TestEncodeTellsWhatSendTells(t *testing.T) {
	p := script.Client(t, nil)
	isArgument(t, stream.Encode(p.Conn.Send, stream.Ping, json.Marshal)(ctx, 1))
	isArgument(t, stream.Encode(p.Conn.Send, stream.Text, json.Marshal)(without, 1))
	p.Conn.CloseNow(nil)
}

func TestEncodeRefusesWhatItCannotUse(t *testing.T) {
	send := func(context.Context, stream.Message) error { t.Error("something is sent"); return nil }
	isArgument(t, stream.Encode[any](nil, stream.Text, json.Marshal)(ctx, 1))
	isArgument(t, stream.Encode[any](send, stream.Text, nil)(ctx, 1))
	var argument *result.ArgumentError
	if err := stream.Encode[any](send, stream.Text, nil)(ctx, 1); !errors.As(err, &argument) || argument.Name != "encode of stream.Encode" {
		t.Errorf("without encode the error is %v", err)
	}
}
