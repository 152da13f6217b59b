package stream_test

import (
	"runtime"
	"testing"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
)

// A callback that ends its goroutine ends the connection: other takers are told, those
// that come later too, and what the connection has borrowed is given back.
func TestGoexitInACallback(t *testing.T) {
	before := bufpool.Lent()
	bubble(t, "", func(t *testing.T) {
		p := script.Client(t, nil)
		sub := p.Conn.Chan(ctx, nil)
		p.Conn.OnText(func(text string) {
			if text == "exit" {
				runtime.Goexit()
			}
		})
		p.Sends(script.Text("one"), script.Text("exit"), script.Text("three"), script.Binary(filler(100_000)))
		p.WantsClose(1011)
		st, err := p.Conn.Result().Wait(ctx)
		if _, general := err.(*result.General); !general || st.Sent != 1011 {
			t.Errorf("it ended with %v, %v", st, err)
		}
		var got []string
		for m := range sub.C {
			got = append(got, m.String())
			m.Release()
		}
		if sub.Err() != err || len(got) == 0 || got[0] != "one" {
			t.Errorf("the other subscriber got %q, %v", got, sub.Err())
		}
		late := p.Conn.Chan(ctx, nil)
		for m := range late.C {
			t.Errorf("%q came afterwards", m)
		}
		if late.Err() != err {
			t.Errorf("who comes afterwards gets %v", late.Err())
		}
		p.End()
	})
	if n := bufpool.Lent() - before; n != 0 {
		t.Errorf("%d buffers are still lent", n)
	}
}
