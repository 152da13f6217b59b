package redial_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/wsflow/wsflow/internal/faults"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/redial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// cuts is how many connections end before the one that lasts.
const cuts = 1000

// faces are the ways of taking what a source gives: each calls f with every message
// and Notice, in order, and returns the error that the stream ended with.
var faces = map[string]func(s *redial.Source, f func(stream.Message)) error{
	"All": func(s *redial.Source, f func(stream.Message)) error {
		for m, err := range s.All(ctx) {
			if err != nil {
				return err
			}
			f(m)
		}
		return nil
	},
	"Chan": func(s *redial.Source, f func(stream.Message)) error {
		sub := s.Chan(ctx, nil)
		for m := range sub.C {
			f(m)
			m.Release()
		}
		return sub.Err()
	},
	"Batches": func(s *redial.Source, f func(stream.Message)) error {
		sub := s.Batches(ctx, nil)
		for batch := range sub.C {
			for _, m := range batch {
				f(m)
				m.Release()
			}
		}
		return sub.Err()
	},
	"Observable": func(s *redial.Source, f func(stream.Message)) error {
		for item := range s.Observable(nil).Observe(rxgo.WithContext(ctx)) {
			if item.Error() {
				return item.E
			}
			f(item.V.(stream.Message))
		}
		return nil
	},
}

// A log of what came, as a program would keep it: numbers, gaps and epochs.
type record struct {
	t       *testing.T
	last    uint64 // number of the last message
	missed  []uint64
	notices int
	gaps    int    // that have ended
	epoch   uint64 // of the last message or the last gap
	open    bool   // a gap has begun and not ended
	between bool   // a gap stands between the last message and the next one
}

func (r *record) take(m stream.Message) {
	r.t.Helper()
	if gap := m.Gap(); gap != nil {
		r.notice(gap)
		return
	}
	n, err := faults.Number(m.Data)
	if err != nil || n <= r.last {
		r.t.Fatalf("message %q came behind message %d", m, r.last)
	}
	for missing := r.last + 1; missing < n; missing++ {
		r.missed = append(r.missed, missing)
		if !r.between {
			r.t.Errorf("message %d is missing, and no gap stands there", missing)
		}
	}
	if at := m.Origin().Epoch; r.open || at != max(r.epoch, 1) {
		r.t.Errorf("message %d is of epoch %d, in epoch %d, in a gap %v", n, at, r.epoch, r.open)
	}
	r.last, r.between, r.epoch = n, false, max(r.epoch, 1)
}

func (r *record) notice(gap *stream.Gap) {
	r.t.Helper()
	r.notices++
	switch {
	case gap.From != max(r.epoch, 1) || r.open == (gap.To == 0):
		r.t.Errorf("gap %+v came in epoch %d, in a gap %v", *gap, r.epoch, r.open)
	case gap.To == 0:
		r.open = true
	case gap.To != gap.From+1 || gap.Attempts < 1 || gap.Down < 0 || gap.Lost.IsZero():
		r.t.Errorf("gap %+v ended", *gap)
	default:
		r.gaps++
		r.open, r.epoch, r.between = false, gap.To, true
	}
}

// A cursor is how far a program has come, and how it resumes there.
type cursor struct{ n uint64 }

func (c *cursor) seen(m stream.Message) { c.n, _ = faults.Number(m.Data) }

func (c *cursor) open(ctx context.Context, conn *stream.Conn, gap *stream.Gap) (bool, error) {
	return true, conn.SendText(ctx, strconv.FormatUint(c.n, 10))
}

// Connections that end in every way over links that are slow, each at its own speed:
// what crawls in before a cut counts as what flies does.
func TestCutsOverSlowLinks(t *testing.T) {
	for name, take := range faces {
		bubble(t, name, func(t *testing.T) {
			const each, most, size = 5, 100, 400
			server := &faults.Server{
				Last: most*each + 10, Size: size, Resume: true,
				Cut: func(conn int) (int, faults.Kind) {
					if conn > most {
						return 0, faults.None
					}
					return faults.Every(each)(conn)
				},
				Rate: func(conn int) int { return 500 << (conn % 8) }, // the slowest takes 0.8 s for a message
			}
			at := &cursor{}
			src := redial.New(ctx, server.Dial, &redial.Options{
				Open: at.open, Seen: at.seen, DataTimeout: time.Second,
				Retry: func(_ int, err error) (time.Duration, bool) { return time.Millisecond, err != nil },
			})
			r := &record{t: t}
			began := time.Now()
			err := take(src, r.take)
			server.Close()
			want(t, "the end", err, nil)
			want(t, "the last message", r.last, server.Last)
			want(t, "missed", len(r.missed), 0)
			want(t, "gaps", r.gaps, most)
			if took, least := time.Since(began), most/8*each*size/500*time.Second; took < least {
				t.Errorf("it took %v, and the slowest links alone carry that in %v", took, least)
			}
		})
	}
}

// A thousand connections that end in every way, against a server that resumes:
// nothing is lost, doubled or reordered, and each end is one gap.
func TestCutsResumed(t *testing.T) {
	for name, take := range faces {
		bubble(t, name, func(t *testing.T) {
			const each = 11
			server := &faults.Server{Last: cuts*each + 10, Resume: true, Cut: func(conn int) (int, faults.Kind) {
				if conn > cuts {
					return 0, faults.None
				}
				return faults.Every(each)(conn)
			}}
			at := &cursor{}
			src := redial.New(ctx, server.Dial, &redial.Options{Open: at.open, Seen: at.seen, DataTimeout: time.Second})
			r := &record{t: t}
			continued := 0
			err := take(src, func(m stream.Message) {
				r.take(m)
				if gap := m.Gap(); gap != nil && gap.Continued {
					continued++
				}
			})
			server.Close()
			want(t, "the end", err, nil)
			want(t, "the last message", r.last, server.Last)
			want(t, "missed", len(r.missed), 0)
			want(t, "gaps", r.gaps, cuts)
			want(t, "continued", continued, cuts)
			want(t, "notices", r.notices, 2*cuts)
			want(t, "the last epoch", r.epoch, cuts+1)
			want(t, "refused dials", server.Dials()-server.Conns(), cuts/int(faults.Kinds-1))
		})
	}
}

// Two hundred against a server that does not resume: what is missing is missing in a
// gap, and each missing range in exactly one.
func TestCutsNotResumed(t *testing.T) {
	for name, take := range faces {
		bubble(t, name, func(t *testing.T) {
			const cuts, each, skip = 200, 5, 3
			server := &faults.Server{Last: cuts * (each + skip), Skip: skip, Cut: faults.Every(each)}
			src := redial.New(ctx, server.Dial, &redial.Options{DataTimeout: time.Second})
			r := &record{t: t}
			err := take(src, r.take)
			server.Close()
			want(t, "the end", err, nil)
			want(t, "gaps", r.gaps, cuts)
			want(t, "missed", len(r.missed), cuts*skip-skip) // the last ones are not known to be missing
		})
	}
}

// The same over TCP, where what was sent before a cut may be lost on the way.
func TestCutsOverTCP(t *testing.T) {
	const conns, each = 40, 200
	server := &faults.Server{Last: conns * each, Size: 100, Resume: true, Cut: func(conn int) (int, faults.Kind) {
		if conn > conns {
			return 0, faults.None
		}
		return faults.Every(each)(conn)
	}}
	url := server.Listen(t)
	at := &cursor{}
	src := redial.New(ctx, dialer(url), &redial.Options{
		Open: at.open, Seen: at.seen, DataTimeout: 20 * time.Millisecond,
		Retry: redial.Backoff(time.Millisecond, 2*time.Millisecond),
	})
	r := &record{t: t}
	want(t, "the end", faces["All"](src, r.take), nil)
	want(t, "the last message", r.last, server.Last)
	want(t, "missed", len(r.missed), 0)
	want(t, "gaps", r.gaps, server.Conns()-1)
}

// Callbacks are called with messages alone, and OnGap with the gaps between them.
func TestCutsCallbacks(t *testing.T) {
	bubble(t, "callbacks", func(t *testing.T) {
		const conns, each = 20, 7
		server := &faults.Server{Last: conns * each, Resume: true, Cut: faults.Every(each)}
		at := &cursor{}
		src := redial.New(ctx, server.Dial, &redial.Options{Open: at.open, Seen: at.seen, DataTimeout: time.Second})
		last, gaps := uint64(0), 0
		resume := src.Pause() // until both callbacks are there
		src.OnBinary(func(data []byte) {
			n, _ := faults.Number(data)
			if n != last+1 {
				t.Errorf("message %d came behind %d", n, last)
			}
			last = n
		})
		src.OnGap(func(*stream.Origin, *stream.Gap) { gaps++ })
		resume()
		_, err := src.Result().Wait(ctx)
		server.Close()
		want(t, "the end", err, nil)
		want(t, "the last message", last, server.Last)
		want(t, "gaps", gaps, 2*(server.Conns()-1))
	})
}

// A source whose server has no more to say ends as its last connection did.
func TestServerIsDone(t *testing.T) {
	bubble(t, "done", func(t *testing.T) {
		server := &faults.Server{Last: 3}
		src := redial.New(ctx, server.Dial, nil)
		r := &record{t: t}
		want(t, "the stream's end", faces["All"](src, r.take), nil)
		server.Close()
		st, _ := src.Result().Status()
		want(t, "the end", fmt.Sprint(st), `1000 "all sent"`)
		want(t, "notices", r.notices, 0)
	})
	bubble(t, "refused for good", func(t *testing.T) {
		refused := &result.CloseError{Code: 1008, Reason: "banned"}
		server := newServer(t)
		src := redial.New(ctx, server.dial, nil)
		(<-server.peers).Sends(script.Close(1008, "banned"))
		r := &record{t: t}
		err := faces["All"](src, r.take)
		var gaveUp *redial.Error
		if !errors.As(err, &gaveUp) || gaveUp.Attempts != 0 || len(gaveUp.Causes) != 1 || *gaveUp.Causes[0].(*result.CloseError) != *refused {
			t.Errorf("it ended with %v", err)
		}
		st, _ := src.Result().Status()
		want(t, "the code", st.Code, refused.Code)
		want(t, "notices", r.notices, 0)
	})
}
