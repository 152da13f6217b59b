package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wsflow/wsflow/feed/jetstream/embedded"
	"github.com/wsflow/wsflow/result"
)

// A company is a crew, and who of it has which feeds.
type company struct {
	t      *testing.T
	server *embedded.Server
	all    []string

	mu      sync.Mutex
	owner   map[string]string
	changed chan struct{} // closed and made anew when somebody has given up or taken feeds
	crash   bool          // feeds may have two workers: one of them does not know yet
	running sync.WaitGroup
}

func found(t *testing.T, feeds int, ttl time.Duration) *company {
	c := &company{t: t, server: serve(t), owner: map[string]string{}, changed: make(chan struct{})}
	for i := range feeds {
		c.all = append(c.all, fmt.Sprint("feed", i))
	}
	if _, err := connect(t, c.server).CreateKeyValue(t.Context(), CrewSettings("crew", ttl)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.running.Wait)
	return c
}

// hire starts a worker. stop lets it leave; crash cuts it off.
func (c *company) hire(name string) (stop, crash func()) {
	c.t.Helper()
	js := connect(c.t, c.server)
	kv, err := js.KeyValue(c.t.Context(), "crew")
	if err != nil {
		c.t.Fatal(err)
	}
	crew, err := NewCrew(c.t.Context(), kv, name, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(c.t.Context())
	c.t.Cleanup(cancel)
	c.running.Go(func() {
		for list, err := range crew.Mine(ctx, c.all) {
			if err == nil {
				c.has(crew.Name(), list)
			}
		}
	})
	return cancel, js.Conn().Close
}

// has notes which feeds a worker has from now on.
func (c *company) has(worker string, list []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for f, w := range c.owner {
		if w == worker {
			delete(c.owner, f)
		}
	}
	for _, f := range list {
		if c.owner[f] != "" && !c.crash {
			c.t.Errorf("%s has two workers, %s and %s", f, c.owner[f], worker)
		}
		c.owner[f] = worker
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// rests waits until each feed has a worker, and so many workers have some.
func (c *company) rests(workers int) {
	c.t.Helper()
	late := time.After(time.Minute)
	for {
		c.mu.Lock()
		names := map[string]bool{}
		for _, w := range c.owner {
			names[w] = true
		}
		done, changed := len(c.owner) == len(c.all) && len(names) == workers, c.changed
		c.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-late:
			c.t.Fatalf("after a minute %d feeds of %d have a worker, of %d workers", len(c.owner), len(c.all), len(names))
		}
	}
}

// Workers that come and leave share the feeds, and no feed has two of them.
func TestCrew(t *testing.T) {
	c := found(t, 100, time.Minute) // no key expires, however busy the machine is
	stop, _ := c.hire("a")
	c.rests(1)
	c.hire("b")
	c.rests(2)
	c.hire("c")
	c.rests(3)
	stop()
	c.rests(2)
}

// What a worker had that crashed goes to the others.
func TestCrewCrash(t *testing.T) {
	c := found(t, 100, time.Second)
	c.hire("a")
	_, crash := c.hire("b")
	c.rests(2)
	c.mu.Lock()
	c.crash = true
	c.mu.Unlock()
	crash()
	c.rests(1)
}

func TestCrewArguments(t *testing.T) {
	js := connect(t, serve(t))
	good, err := js.CreateKeyValue(t.Context(), CrewSettings("good", time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	forever, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "forever"})
	if err != nil {
		t.Fatal(err)
	}
	unmarked, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "unmarked", TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	var none context.Context
	for name, make := range map[string]func() (*Crew, error){
		"ctx":                           func() (*Crew, error) { return NewCrew(none, good, "w", nil) },
		"kv":                            func() (*Crew, error) { return NewCrew(t.Context(), nil, "w", nil) },
		"worker":                        func() (*Crew, error) { return NewCrew(t.Context(), good, "my worker", nil) },
		"the TTL of the bucket forever": func() (*Crew, error) { return NewCrew(t.Context(), forever, "w", nil) },
		"the LimitMarkerTTL of the bucket unmarked": func() (*Crew, error) { return NewCrew(t.Context(), unmarked, "w", nil) },
	} {
		var bad *result.ArgumentError
		if _, err := make(); !errors.As(err, &bad) || bad.Name != name {
			t.Errorf("the error is %v, want one of %s", err, name)
		}
	}
}
