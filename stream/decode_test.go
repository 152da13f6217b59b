package stream_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/reactivex/rxgo/v2"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

type pair struct{ A, B int }

// pairs are messages of which the second is bad, and so is a field of the third.
var pairs = []script.Frame{
	script.Text(`{"A":1,"B":2}`), script.Text(`{"A":1`), script.Text(`{"A":7,"B":"x"}`), script.Text(`{"B":3}`),
	script.Close(4000, "no"),
}

func TestDecodeGoesOnBehindABadMessage(t *testing.T) {
	bubble(t, "loop", func(t *testing.T) {
		p := script.Client(t, nil)
		p.Sends(pairs...)
		var got []pair
		var bad []*stream.DecodeError
		var last error
		for v, err := range stream.Decode[pair](p.Conn.All(ctx), json.Unmarshal) {
			got = append(got, v)
			if e := new(stream.DecodeError); errors.As(err, &e) {
				bad = append(bad, e)
			}
			last = err
		}
		if want := []pair{{1, 2}, {}, {}, {0, 3}, {}}; !slices.Equal(got, want) {
			t.Errorf("the values are %v, want %v", got, want)
		}
		if len(bad) != 2 || bad[0].Message.String() != `{"A":1` || bad[1].Message.String() != `{"A":7,"B":"x"}` {
			t.Fatalf("the errors are %v", bad)
		}
		if !errors.As(bad[0], new(*json.SyntaxError)) || !errors.As(bad[1], new(*json.UnmarshalTypeError)) {
			t.Errorf("the causes are %v and %v", bad[0].Err, bad[1].Err)
		}
		if want := "wsflow: a text message of 6 bytes cannot be decoded: unexpected end of JSON input"; bad[0].Error() != want {
			t.Errorf("the error says %q, want %q", bad[0], want)
		}
		if !errors.As(last, new(*result.CloseError)) {
			t.Errorf("the last error is %v, want the connection's", last)
		}
	})
	bubble(t, "Observable", func(t *testing.T) {
		p := script.Client(t, nil)
		p.Sends(pairs...)
		var got []pair
		bad, ends := 0, 0
		for item := range p.Conn.Observable(nil).Map(stream.Decoder[pair](json.Unmarshal), rxgo.WithErrorStrategy(rxgo.ContinueOnError)).Observe(rxgo.WithContext(ctx)) {
			switch {
			case item.E == nil:
				got = append(got, item.V.(pair))
			case errors.As(item.E, new(*stream.DecodeError)):
				bad++
			case errors.As(item.E, new(*result.CloseError)):
				ends++
			}
		}
		if want := []pair{{1, 2}, {0, 3}}; !slices.Equal(got, want) || bad != 2 || ends != 1 {
			t.Errorf("there come %v, %d bad messages and %d ends", got, bad, ends)
		}
	})
}

func TestDecodeStopsWithItsLoop(t *testing.T) {
	bubble(t, "break", func(t *testing.T) {
		p := script.Client(t, nil)
		p.Sends(script.Text("1"), script.Text("2"))
		for range 2 {
			for range stream.Decode[int](p.Conn.All(ctx), json.Unmarshal) {
				break
			}
		}
		p.Sends(script.Text("3"))
		wantReceived(t, p.Conn, ctx, "3")
	})
}

func TestDecodeRefusesWhatItCannotUse(t *testing.T) {
	want := func(err error) {
		t.Helper()
		if !errors.As(err, new(*result.ArgumentError)) {
			t.Errorf("the error is %v, want an ArgumentError", err)
		}
	}
	rounds := 0
	for _, err := range stream.Decode[int](func(func(stream.Message, error) bool) { t.Error("messages are taken") }, nil) {
		rounds++
		want(err)
	}
	if rounds != 1 {
		t.Errorf("%d errors come, want 1", rounds)
	}
	_, err := stream.Decoder[int](nil)(ctx, stream.Message{})
	want(err)
	_, err = stream.Decoder[int](json.Unmarshal)(ctx, "no message")
	want(err)
}
