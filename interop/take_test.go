package interop

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/reactivex/rxgo/v2"
	"github.com/wsflow/wsflow/stream"
)

// taken is what came of a connection: messages, and the error that ended them.
type taken struct {
	messages []stream.Message
	err      error
}

// A taker takes messages until there are n, or until they end if n is
// negative. It has begun when it returns.
type taker struct {
	name string
	take func(ctx context.Context, conn *stream.Conn, n int) <-chan taken
}

// takers are the four ways.
var takers = []taker{
	{"All", takeAll},
	{"Chan", takeChan},
	{"Observable", takeObservable},
	{"OnText and OnBinary", takeCallbacks},
}

func takeAll(ctx context.Context, conn *stream.Conn, n int) <-chan taken {
	result := make(chan taken, 1)
	go func() { // until the connection or ctx ends, at the latest
		var got taken
		defer func() { result <- got }()
		for m, err := range conn.All(ctx) {
			if err != nil {
				got.err = err
				return
			}
			got.messages = append(got.messages, m.Clone())
			if len(got.messages) == n {
				return
			}
		}
	}()
	return result
}

func takeChan(ctx context.Context, conn *stream.Conn, n int) <-chan taken {
	result := make(chan taken, 1)
	messages := conn.Chan(ctx, nil)
	go func() { // until the connection or ctx ends, at the latest
		var got taken
		for m := range messages.C {
			got.messages = append(got.messages, m)
			if len(got.messages) == n {
				messages.Cancel()
			}
		}
		if len(got.messages) != n {
			got.err = messages.Err()
		}
		result <- got
	}()
	return result
}

func takeObservable(ctx context.Context, conn *stream.Conn, n int) <-chan taken {
	result := make(chan taken, 1)
	ctx, cancel := context.WithCancel(ctx)
	items := conn.Observable(nil).Observe(rxgo.WithContext(ctx))
	go func() { // until the connection or ctx ends, at the latest
		defer cancel()
		var got taken
		for item := range items {
			if item.Error() {
				got.err = item.E
				continue
			}
			got.messages = append(got.messages, item.V.(stream.Message))
			if len(got.messages) == n {
				cancel()
			}
		}
		result <- got
	}()
	return result
}

// takeCallbacks relies on it that callbacks run one at a time, and before the
// continuations of the promise.
func takeCallbacks(ctx context.Context, conn *stream.Conn, n int) <-chan taken {
	result := make(chan taken, 1)
	var got taken
	add := func(m stream.Message) {
		got.messages = append(got.messages, m)
		if len(got.messages) == n {
			result <- got
		}
	}
	conn.OnText(func(text string) { add(stream.Message{Type: stream.Text, Data: []byte(text)}) })
	conn.OnBinary(func(data []byte) { add(stream.Message{Type: stream.Binary, Data: data}) })
	if n < 0 {
		end := func(err error) {
			got.err = err
			result <- got
		}
		conn.Result().Then(func(status) { end(nil) }, end)
	}
	return result
}

// gives waits for what was taken, which must be these messages.
func gives(t *testing.T, result <-chan taken, want []stream.Message) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case got := <-result:
		sameMessages(t, got.messages, want)
		return got.err
	case <-ctx.Done():
		t.Fatalf("the %d messages did not come in time", len(want))
		return nil
	}
}

func sameMessages(t *testing.T, got, want []stream.Message) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d messages came, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i].Type != want[i].Type || !bytes.Equal(got[i].Data, want[i].Data) {
			t.Errorf("message %d is %s, want %s", i, describe(got[i]), describe(want[i]))
		}
	}
}

func describe(m stream.Message) string {
	return fmt.Sprintf("%v of %d bytes %.60q", m.Type, len(m.Data), m.Data)
}
