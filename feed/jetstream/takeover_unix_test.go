//go:build unix

package jetstream

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// An onlooker reads what is stored as it comes, and knows which store wrote it.
type onlooker struct {
	t        *testing.T
	messages jetstream.MessagesContext
	writers  map[string]string // by subject: the store that wrote last
}

func (p *place) looksOn() *onlooker {
	p.t.Helper()
	return &onlooker{p.t, follow(p.t, p.client()), map[string]string{}}
}

// sees reads the next record, and returns its subject, who wrote it and when it was
// stored.
func (o *onlooker) sees() (subject, writer string, at time.Time) {
	o.t.Helper()
	m, err := o.messages.Next(jetstream.NextMaxWait(2 * time.Minute))
	if err != nil {
		o.t.Fatal(err)
	}
	meta, err := m.Metadata()
	if err != nil {
		o.t.Fatal(err)
	}
	writer, _, _ = strings.Cut(m.Headers().Get(batchID), ".")
	o.writers[m.Subject()] = writer
	return m.Subject(), writer, meta.Timestamp
}

// comes waits for a store that is not the heir, and returns when it first wrote.
func (o *onlooker) comes(heir string) (writer string, at time.Time) {
	o.t.Helper()
	for {
		if _, writer, at = o.sees(); writer != heir {
			return writer, at
		}
	}
}

// of returns the subjects that a store wrote to last.
func (o *onlooker) of(writer string) (all []string) {
	for subject, w := range o.writers {
		if w == writer {
			all = append(all, subject)
		}
	}
	return all
}

// The feeds of a worker that is killed are taken over by the other within the time that
// its key lives, and a second.
func TestTakeover(t *testing.T) {
	t.Parallel()
	const ttl = time.Second // of the bucket
	rounds, feeds, most := pick(1, 30), pick(20, 100), ttl+pick(30*time.Second, time.Second)
	p := opens(t)
	told := part{URL: p.url, Feeds: feeds, Most: 1 << 30, Batch: 200, Crew: true, Pause: 50 * time.Millisecond}
	told.Name = "heir"
	starts(t, "worker", told)
	o := p.looksOn()
	_, heir, _ := o.sees()
	for len(o.of(heir)) < feeds {
		o.sees()
	}
	var first, last []time.Duration
	for round := range rounds {
		told.Name = fmt.Sprint("victim", round)
		w := starts(t, "worker", told)
		victim, since := o.comes(heir)
		for at := since; at.Before(since.Add(ttl / 2)); { // until it has its share
			_, _, at = o.sees()
		}
		w.kill()
		killed := time.Now()
		left := o.of(victim)
		for n := len(left); len(left) > 0; {
			subject, writer, at := o.sees()
			if writer != heir || at.Before(killed) || !slices.Contains(left, subject) {
				continue
			}
			if len(left) == n {
				first = append(first, at.Sub(killed))
			}
			if left = slices.DeleteFunc(left, func(s string) bool { return s == subject }); len(left) == 0 {
				last = append(last, at.Sub(killed))
			}
		}
	}
	slices.Sort(first)
	slices.Sort(last)
	t.Logf("%d kills: the first record of the other came after %v at the median, %v at most; all feeds were its own after %v, %v",
		rounds, first[rounds/2].Round(time.Millisecond), first[rounds-1].Round(time.Millisecond), last[rounds/2].Round(time.Millisecond), last[rounds-1].Round(time.Millisecond))
	if took := first[rounds-1]; took > most {
		t.Errorf("a feed was taken over in %v, want %v", took, most)
	}
	p.exact(feeds, 0)
}
