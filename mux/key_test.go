package mux_test

import (
	"errors"
	"math"
	"net"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/mux"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A key that does not equal itself is refused, and harms no other: what is noted under
// it could never be found again.
func TestKeyThatIsNoKey(t *testing.T) {
	bubble(t, func(t *testing.T) {
		near, far := net.Pipe()
		conn, err := stream.New(near, stream.Client, nil)
		if err != nil {
			t.Fatal(err)
		}
		server, err := stream.New(far, stream.Server, nil)
		if err != nil {
			t.Fatal(err)
		}
		told := make(chan []float64, 10)
		m := mux.New(conn, &mux.Options[float64]{
			Topic:     func(m stream.Message) (float64, bool) { return math.NaN(), m.String() == "NaN" },
			Subscribe: func(keys []float64) []stream.Message { told <- keys; return nil },
		})
		rest := m.Unmatched().Chan(ctx, nil)
		_, called := m.Call(ctx, math.NaN(), text("question"))
		for _, err := range []error{m.Topic(math.NaN()).Chan(ctx, nil).Err(), m.Topic(math.NaN()).Chan(ctx, nil).Err(), called} {
			var argument *result.ArgumentError
			if !errors.As(err, &argument) || argument.Name != "key" {
				t.Errorf("it gives %v", err)
			}
		}
		m.Fail(math.NaN(), nil)
		one := m.Topic(1)
		sub := one.Chan(ctx, nil)
		if keys := <-told; len(keys) != 1 || keys[0] != 1 || one != m.Topic(1) {
			t.Errorf("%v were subscribed to", keys)
		}
		go server.SendText(ctx, "NaN") // is for a topic without takers
		go server.SendText(ctx, "rest")
		gets(t, rest, "rest")
		sub.Cancel()
		conn.CloseNow(nil)
		server.CloseNow(nil)
		synctest.Wait()
	})
}
