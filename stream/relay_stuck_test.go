package stream_test

import (
	"errors"
	"net"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A function of the program that ends the goroutine of its caller, as a failing test
// does, does not stop the Relay: others give and take, and its end comes.
func TestRelayOutlivesGoexit(t *testing.T) {
	exits := func(m stream.Message) bool {
		if m.String() == "exit" {
			runtime.Goexit()
		}
		return true
	}
	for name, test := range map[string]struct {
		keep  func(stream.Message) bool
		hears func(string)
		taken bool // before the message comes
		put   bool // by the program
	}{
		"Keep of a lane":                   {keep: exits, taken: true},
		"Keep of what is kept":             {keep: exits},
		"a callback":                       {hears: func(s string) { exits(text(s)) }, taken: true},
		"a callback of what is put":        {hears: func(s string) { exits(text(s)) }, taken: true, put: true},
		"a callback of what was put first": {hears: func(s string) { exits(text(s)) }, put: true},
	} {
		bubble(t, name, func(t *testing.T) {
			relay, feeder := stream.NewRelay(nil)
			p := script.Client(t, nil)
			if _, err := feeder.Join(p.Conn, &stream.JoinOptions{Keep: test.keep}); err != nil {
				t.Fatal(err)
			}
			if test.hears == nil {
				test.hears = func(string) {}
			}
			if test.taken {
				relay.OnText(test.hears)
			}
			if test.put {
				go feeder.Put(ctx, text("exit")) // ends in the callback, or when it is kept
			} else {
				p.Sends(script.Text("exit"))
				p.Cuts()
			}
			synctest.Wait()
			if !test.taken {
				relay.OnText(test.hears)
				synctest.Wait()
			}
			sub := relay.Chan(ctx, nil)
			go feeder.Put(ctx, text("next")) // ends when sub has it
			if m := <-sub.C; m.String() != "next" {
				t.Errorf("%q came", m)
			}
			feeder.End(result.Status{Code: 1000})
			for range sub.C {
			}
			if err := sub.Err(); err != nil {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

// A Put that waits, as nobody takes and much waits already, ends with the Relay.
func TestPutEndsWithTheRelay(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		_, feeder := stream.NewRelay(nil)
		ended := make(chan error, 1)
		go func() { // ends with the Relay
			for {
				if err := feeder.Put(ctx, stream.Message{Type: stream.Binary, Data: make([]byte, 1<<18)}); err != nil {
					ended <- err
					return
				}
			}
		}()
		synctest.Wait()
		feeder.End(result.Status{Code: 1000})
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Put returns %v", err)
		}
	})
}
