package faces

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Run runs the suite over the rigs that make makes.
func Run(t *testing.T, make Make) {
	RunLive(t, make)
	s := &suite{make}
	for _, f := range faces {
		t.Run(f.name, func(t *testing.T) {
			s.bubble(t, "what came before it was taken", f.late)
			for _, next := range faces {
				s.bubble(t, "handed over to "+next.name, f.handedOver(next))
				s.bubble(t, "handed over after the end to "+next.name, f.inherited(next))
			}
		})
	}
}

// RunLive runs that part of the suite which a subject passes that keeps nothing for
// its next taker.
func RunLive(t *testing.T, make Make) {
	s := &suite{make}
	for _, f := range faces {
		t.Run(f.name, func(t *testing.T) {
			s.bubble(t, "order and success", f.gives(true))
			s.bubble(t, "order and failure", f.gives(false))
			s.bubble(t, "pause", f.pause)
			s.bubble(t, "context", f.context)
			s.bubble(t, "alone", f.alone)
		})
	}
	s.bubble(t, "each gets all", together)
	s.bubble(t, "DropOldest", dropOldest)
	s.bubble(t, "Fail", fail)
	s.bubble(t, "bad arguments", badArguments)
}

type suite struct{ make Make }

func (s *suite) bubble(t *testing.T, name string, test func(t *testing.T, r *Rig)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, s.make(t)) })
	})
}

// numbered returns the texts from..to-1.
func numbered(from, to int) (texts []string) {
	for i := from; i < to; i++ {
		texts = append(texts, fmt.Sprintf("message %d", i))
	}
	return texts
}

// A taking is a face at work.
type taking struct {
	face
	over chan struct{}
	err  error // once over is closed

	mu  sync.Mutex
	got []string // guarded by mu
}

// start has a face take until it was given so many messages; 0 means all.
func (f face) start(ctx context.Context, s Subject, most int) *taking {
	tk := &taking{face: f, over: make(chan struct{})}
	go func() { // ends with the source or with ctx
		defer close(tk.over)
		tk.err = f.take(ctx, s, func(text string) bool {
			tk.mu.Lock()
			defer tk.mu.Unlock()
			tk.got = append(tk.got, text)
			return most == 0 || len(tk.got) < most
		})
	}()
	return tk
}

// so returns what it was given so far.
func (tk *taking) so() []string {
	synctest.Wait()
	tk.mu.Lock()
	defer tk.mu.Unlock()
	return slices.Clone(tk.got)
}

// has checks what it was given so far.
func (tk *taking) has(t *testing.T, want []string) {
	t.Helper()
	if got := tk.so(); !slices.Equal(got, want) {
		t.Errorf("%s was given %s, want %s", tk.name, brief(got), brief(want))
	}
}

// ends checks that it ends, and that it is with success or failure.
func (tk *taking) ends(t *testing.T, success bool) {
	t.Helper()
	synctest.Wait()
	select {
	case <-tk.over:
	default:
		t.Fatalf("%s does not end", tk.name)
	}
	if !tk.endless && (tk.err == nil) != success {
		t.Errorf("%s ends with %v", tk.name, tk.err)
	}
}

func brief(texts []string) string {
	if len(texts) <= 6 {
		return fmt.Sprintf("%q", texts)
	}
	return fmt.Sprintf("%d: %q ... %q", len(texts), texts[:3], texts[len(texts)-3:])
}

// All messages come in their order, and then the end, whatever their number.
func (f face) gives(success bool) func(t *testing.T, r *Rig) {
	return func(t *testing.T, r *Rig) {
		const count = 1000
		tk := f.start(t.Context(), r.Subject, 0)
		synctest.Wait()
		r.Sends("message 0")
		tk.has(t, numbered(0, 1))
		r.Sends(numbered(1, count)...)
		tk.has(t, numbered(0, count))
		r.Ends(success)
		tk.ends(t, success)
		tk.has(t, numbered(0, count))
		if status, ok := r.Subject.Result().Status(); !ok || (status.Err == nil) != success {
			t.Errorf("the terminal event is %v with %v", status, status.Err)
		}
	}
}

// Messages wait for the first taker.
func (f face) late(t *testing.T, r *Rig) {
	r.Sends(numbered(0, 300)...)
	synctest.Wait()
	tk := f.start(t.Context(), r.Subject, 0)
	tk.has(t, numbered(0, 300))
	r.Ends(true)
	tk.ends(t, true)
}

// While a pause is held, nothing is given but what stands in a queue already.
func (f face) pause(t *testing.T, r *Rig) {
	resume, again := r.Subject.Pause(), r.Subject.Pause()
	tk := f.start(t.Context(), r.Subject, 0)
	r.Sends(numbered(0, 10)...)
	tk.has(t, nil)
	resume()
	resume()
	tk.has(t, nil)
	again()
	tk.has(t, numbered(0, 10))
	resume = r.Subject.Pause()
	r.Sends(numbered(10, 20)...)
	tk.has(t, numbered(0, 10))
	resume()
	tk.has(t, numbered(0, 20))
	r.Ends(true)
	tk.ends(t, true)
}

// The context ends the face alone, with its cause.
func (f face) context(t *testing.T, r *Rig) {
	ctx, cancel := context.WithCancelCause(t.Context())
	tk := f.start(ctx, r.Subject, 0)
	r.Sends("message 0")
	tk.has(t, numbered(0, 1))
	cause := errors.New("the cause")
	cancel(cause)
	tk.ends(t, f.mute)
	if !f.mute && tk.err != cause {
		t.Errorf("it ends with %v, want the cause of the context", tk.err)
	}
	next := f.start(t.Context(), r.Subject, 0)
	synctest.Wait()
	r.Sends("message 1")
	next.has(t, numbered(1, 2))
	r.Ends(true)
	next.ends(t, true)
}

// Whoever wants the messages alone gets ErrTaken while others take them, and the
// other way round.
func (f face) alone(t *testing.T, r *Rig) {
	tk := f.start(t.Context(), r.Subject, 0)
	synctest.Wait()
	for _, err := range r.Subject.All(t.Context()) {
		if !errors.Is(err, stream.ErrTaken) {
			t.Errorf("All beside %s yields %v", f.name, err)
		}
	}
	if f.exclusive {
		sub := r.Subject.Chan(t.Context(), nil)
		if _, ok := <-sub.C; ok || !errors.Is(sub.Err(), stream.ErrTaken) {
			t.Errorf("Chan beside %s ends with %v", f.name, sub.Err())
		}
	}
	r.Sends("message 0")
	tk.has(t, numbered(0, 1))
	r.Ends(true)
	tk.ends(t, true)
}

// When a face ends in the middle, the next one goes on behind what it was given.
func (f face) handedOver(next face) func(t *testing.T, r *Rig) {
	return func(t *testing.T, r *Rig) {
		const count = 700
		r.Sends(numbered(0, count/2)...)
		first := f.start(t.Context(), r.Subject, 5)
		first.ends(t, f.mute || f.exclusive)
		got := len(first.so())
		first.has(t, numbered(0, got))
		second := next.start(t.Context(), r.Subject, 300)
		synctest.Wait()
		r.Sends(numbered(count/2, count)...)
		second.ends(t, next.mute || next.exclusive)
		had := got
		got += len(second.so())
		second.has(t, numbered(had, got))
		third := f.start(t.Context(), r.Subject, 0)
		third.has(t, numbered(got, count))
		r.Ends(true)
		third.ends(t, true)
	}
}

// What comes while there is no taker waits for the next one, also after the end.
func (f face) inherited(next face) func(t *testing.T, r *Rig) {
	return func(t *testing.T, r *Rig) {
		const count = 100
		first := f.start(t.Context(), r.Subject, 5)
		synctest.Wait()
		r.Sends(numbered(0, count)...)
		r.Ends(false)
		synctest.Wait()
		got := len(first.so())
		first.has(t, numbered(0, got))
		second := next.start(t.Context(), r.Subject, 0)
		second.has(t, numbered(got, count))
		second.ends(t, false)
	}
}

// Each of several subscribers gets every message.
func together(t *testing.T, r *Rig) {
	var all []*taking
	resume := r.Subject.Pause()
	for _, f := range faces {
		if !f.exclusive {
			all = append(all, f.start(t.Context(), r.Subject, 0))
		}
	}
	synctest.Wait()
	resume()
	r.Sends(numbered(0, 500)...)
	for _, tk := range all {
		tk.has(t, numbered(0, 500))
	}
	r.Ends(false)
	for _, tk := range all {
		tk.ends(t, false)
	}
}

// What a policy drops is counted, in all and before each message.
func dropOldest(t *testing.T, r *Rig) {
	const count, size = 100, 10
	sub := r.Subject.Chan(t.Context(), &stream.SubscribeOptions{Size: size, Policy: stream.DropOldest})
	batches := r.Subject.Batches(t.Context(), &stream.SubscribeOptions{Size: 1, Policy: stream.Latest})
	fast := faces[1].start(t.Context(), r.Subject, 0)
	synctest.Wait()
	r.Sends(numbered(0, count)...)
	fast.has(t, numbered(0, count))
	r.Ends(true)
	fast.ends(t, true)
	at := -r.Notices // all of them are dropped
	for m := range sub.C {
		if m.Type == stream.Notice {
			continue
		}
		at += int(m.Skipped())
		if want := fmt.Sprintf("message %d", at); m.String() != want {
			t.Errorf("%q comes, want %q by what was skipped", m, want)
		}
		at++
	}
	if at != count || sub.Dropped() < count-size || sub.Err() != nil {
		t.Errorf("%d of %d messages are accounted for, %d dropped, %v", at, count, sub.Dropped(), sub.Err())
	}
	left := uint64(0)
	for batch := range batches.C {
		left += uint64(len(batch))
	}
	if left+batches.Dropped() < count {
		t.Errorf("of %d messages %d came in batches and %d were dropped", count, left, batches.Dropped())
	}
}

// A slow subscriber under Fail ends alone.
func fail(t *testing.T, r *Rig) {
	sub := r.Subject.Chan(t.Context(), &stream.SubscribeOptions{Size: 3, Policy: stream.Fail})
	fast := faces[1].start(t.Context(), r.Subject, 0)
	synctest.Wait()
	r.Sends(numbered(0, 100)...)
	fast.has(t, numbered(0, 100))
	n := 0
	for m := range sub.C {
		if m.Type != stream.Notice {
			n++
		}
	}
	if n > 3 || !errors.Is(sub.Err(), stream.ErrSlow) {
		t.Errorf("the slow one has %d messages and ends with %v", n, sub.Err())
	}
	r.Ends(true)
	fast.ends(t, true)
}

func badArguments(t *testing.T, r *Rig) {
	var bad *result.ArgumentError
	var none context.Context
	bads := map[string]error{
		"Chan, nil ctx":     r.Subject.Chan(none, nil).Err(),
		"Chan, Size -1":     r.Subject.Chan(t.Context(), &stream.SubscribeOptions{Size: -1}).Err(),
		"Batches, nil ctx":  r.Subject.Batches(none, nil).Err(),
		"Batches, Policy 9": r.Subject.Batches(t.Context(), &stream.SubscribeOptions{Policy: 9}).Err(),
	}
	for _, err := range r.Subject.All(none) {
		bads["All, nil ctx"] = err
	}
	for item := range r.Subject.Observable(&stream.SubscribeOptions{Bytes: -1, Size: -1}).Observe() {
		bads["Observable, Size -1"] = item.E
	}
	for name, err := range bads {
		if !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(bads) != 6 {
		t.Errorf("%d cases have an error, want 6", len(bads))
	}
	r.Ends(true)
	synctest.Wait()
}
