package stream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// gap is what the Notices of these tests tell.
var gap = &stream.Gap{From: 1, To: 2, Status: result.Status{Code: 1001, Reason: "restart"}, Down: 2 * time.Second}

// withNotice returns a Relay that has ended behind a Notice between two texts.
func withNotice(t *testing.T, first, second string) *stream.Relay {
	t.Helper()
	r, f := stream.NewRelay(nil)
	for _, err := range []error{
		f.Put(ctx, text(first)),
		f.Notify(ctx, &stream.Origin{Name: "a", Epoch: 1}, gap),
		f.Put(ctx, text(second)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	f.End(result.Status{Code: 1000})
	return r
}

// Whatever sends messages sends the two around a Notice.
func TestNoticesAreNotSent(t *testing.T) {
	for name, send := range map[string]func(t *testing.T, c *stream.Conn, all <-chan stream.Message){
		"Send": func(t *testing.T, c *stream.Conn, all <-chan stream.Message) {
			for m := range all {
				if err := c.Send(ctx, m); err != nil {
					t.Error(err)
				}
			}
		},
		"Sink": func(t *testing.T, c *stream.Conn, all <-chan stream.Message) {
			sink := c.Sink(ctx, &stream.SinkOptions{Unsent: func(m stream.Message, why error) {
				t.Errorf("a %v is unsent: %v", m.Type, why)
			}})
			for m := range all {
				sink <- m
			}
			close(sink)
		},
		"Pipe": func(t *testing.T, c *stream.Conn, all <-chan stream.Message) {
			if unsent, err := c.Pipe(ctx, all); err != nil || len(unsent) > 0 {
				t.Errorf("%d are unsent, %v", len(unsent), err)
			}
		},
		"Pipe, one by one": func(t *testing.T, c *stream.Conn, all <-chan stream.Message) {
			ch := make(chan stream.Message)
			go func() {
				for m := range all {
					ch <- m
					synctest.Wait()
				}
				close(ch)
			}()
			if unsent, err := c.Pipe(ctx, ch); err != nil || len(unsent) > 0 {
				t.Errorf("%d are unsent, %v", len(unsent), err)
			}
		},
	} {
		bubble(t, name, func(t *testing.T) {
			p := script.Client(t, nil)
			send(t, p.Conn, withNotice(t, "one", "two").Chan(ctx, nil).C)
			if err := p.Conn.Flush(ctx); err != nil {
				t.Fatal(err)
			}
			p.WantsMessage("the text before", script.Text("one"))
			p.WantsMessage("the text behind", script.Text("two"))
			p.Conn.Close(1000, "")
			p.WantsClose(1000)
		})
	}
}

// A Sink that has to give up on messages says nothing of Notices.
func TestNoticesAreNotUnsent(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		p := script.Client(t, nil)
		p.Conn.CloseNow(nil)
		var unsent []string
		sink := p.Conn.Sink(ctx, &stream.SinkOptions{Unsent: func(m stream.Message, _ error) { unsent = append(unsent, m.String()) }})
		for m := range withNotice(t, "one", "two").Chan(ctx, nil).C {
			sink <- m
		}
		close(sink)
		synctest.Wait()
		if !slices.Equal(unsent, []string{"one", "two"}) {
			t.Errorf("unsent are %q", unsent)
		}
	})
}

// Decoding makes an error of a Notice, and goes on.
func TestNoticesAreDecodedAsErrors(t *testing.T) {
	check := func(t *testing.T, got []int, err error, last error) {
		t.Helper()
		var told *stream.GapError
		if !slices.Equal(got, []int{1, 2}) || last != nil || !errors.As(err, &told) || told.Gap != gap || told.Origin.Name != "a" {
			t.Errorf("got %v, %v and in the end %v", got, err, last)
		}
		if want := `wsflow: connection 1 of "a" ended: 1001 "restart"; number 2 is open after 2s`; err.Error() != want {
			t.Errorf("the error says %q, want %q", err, want)
		}
	}
	bubble(t, "loop", func(t *testing.T) {
		var got []int
		var told, last error
		for v, err := range stream.Decode[int](withNotice(t, "1", "2").All(ctx), json.Unmarshal) {
			switch {
			case err == nil:
				got = append(got, v)
			case told == nil:
				told = err
			default:
				last = err
			}
		}
		check(t, got, told, last)
	})
	bubble(t, "Observable", func(t *testing.T) {
		var got []int
		var told, last error
		items := withNotice(t, "1", "2").Observable(nil).Map(stream.Decoder[int](json.Unmarshal), rxgo.WithErrorStrategy(rxgo.ContinueOnError))
		for item := range items.Observe() {
			switch {
			case item.E == nil:
				got = append(got, item.V.(int))
			case told == nil:
				told = item.E
			default:
				last = item.E
			}
		}
		check(t, got, told, last)
	})
}

func TestWhatAGapErrorSays(t *testing.T) {
	for want, e := range map[string]*stream.GapError{
		"wsflow: connection 3 ended: broken; none follows":                  {Gap: &stream.Gap{From: 3, Final: true, Status: result.Status{Err: errors.New("broken")}}},
		`wsflow: connection 4 ended: 1000 ""; the next one is not open yet`: {Gap: &stream.Gap{From: 4, Status: result.Status{Code: 1000}}, Origin: &stream.Origin{}},
	} {
		if e.Error() != want {
			t.Errorf("it says %q, want %q", e, want)
		}
	}
}

// A log has one line of an Origin and of a Gap, also of pointers to them.
func TestWhatALogSaysOfNotices(t *testing.T) {
	restart := result.Status{Code: 1001, Reason: "restart"}
	for _, c := range []struct {
		value any
		want  string
	}{
		{stream.Origin{Epoch: 3}, `connection 3`},
		{&stream.Origin{Name: "a \"b\"", Epoch: 3}, `connection 3 of "a \"b\""`},
		{&stream.Gap{From: 1, Status: restart}, `connection 1 ended: 1001 "restart"; the next one is not open yet`},
		{stream.Gap{From: 1, To: 2, Status: restart, Down: time.Second}, `connection 1 ended: 1001 "restart"; number 2 is open after 1s`},
		{&stream.Gap{From: 1, To: 2, Status: restart, Continued: true}, `connection 1 ended: 1001 "restart"; number 2 is open after 0s, and nothing was missed`},
		{&stream.Gap{From: 4, Final: true, Status: result.Status{Err: errors.New("broken")}}, `connection 4 ended: broken; none follows`},
	} {
		if got := fmt.Sprint(c.value); got != c.want {
			t.Errorf("it says %s, want %s", got, c.want)
		}
	}
	if got := fmt.Sprint(text("x").Origin(), text("x").Gap()); got != "<nil> <nil>" {
		t.Errorf("of none it says %s", got)
	}
}

// The predicate IsData filters Notices out, of messages and of batches.
func TestIsDataFiltersNoticesOut(t *testing.T) {
	bubble(t, "Observable", func(t *testing.T) {
		var got []string
		for item := range withNotice(t, "one", "two").Observable(nil).Filter(stream.IsData).Observe() {
			got = append(got, item.V.(stream.Message).String())
		}
		if !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("got %q", got)
		}
	})
	bubble(t, "ObservableBatches", func(t *testing.T) {
		n := 0
		for item := range withNotice(t, "one", "two").ObservableBatches(nil).Filter(stream.IsData).Observe() {
			n += len(item.V.([]stream.Message))
		}
		if n != 2 {
			t.Errorf("%d messages pass", n)
		}
	})
	if stream.IsData("a string") || stream.IsData([]stream.Message{}) {
		t.Error("what is no message passes")
	}
}

// OnGap gets Notices among the texts; other callbacks do not, and nothing is logged.
func TestCallbacksAndNotices(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		logger, seen := logs()
		r, f := stream.NewRelay(&stream.RelayOptions{Logger: logger})
		var got []string
		stop := r.OnGap(func(o *stream.Origin, g *stream.Gap) {
			if o.Epoch != 1 || g != gap {
				t.Errorf("told of %v and %v", o, g)
			}
			got = append(got, "gap")
		})
		r.OnText(func(s string) { got = append(got, s) })
		f.Put(ctx, text("one"))
		f.Notify(ctx, &stream.Origin{Epoch: 1}, gap)
		stop()
		f.Notify(ctx, nil, gap)
		f.Put(ctx, text("two"))
		f.End(result.Status{Code: 1000})
		synctest.Wait()
		if !slices.Equal(got, []string{"one", "gap", "two"}) || seen.Len() > 0 {
			t.Errorf("got %q, and %d lines in the log", got, seen.Len())
		}
	})
}

// The type has a name, and what it tells is there for it alone.
func TestANotice(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		var all []stream.Message
		for m := range withNotice(t, "one", "two").Chan(context.Background(), nil).C {
			all = append(all, m)
		}
		n := all[1]
		if n.Type != stream.Notice || n.Type.String() != "notice" || len(n.Data) > 0 || n.Gap() != gap || n.Origin().Epoch != 1 {
			t.Errorf("it is a %v with %q, %v, %v", n.Type, n.Data, n.Gap(), n.Origin())
		}
		if c := n.Clone(); c.Gap() != gap || c.Origin() != n.Origin() || c.Type != stream.Notice {
			t.Error("a clone tells something else")
		}
		if all[0].Gap() != nil || all[0].Origin() != nil || text("x").Gap() != nil {
			t.Error("a message that is none tells of a gap")
		}
	})
}
