package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/mux"
	"github.com/wsflow/wsflow/redial"
	"github.com/wsflow/wsflow/stream"
)

// topics publishes numbers of the topics that a client has subscribed to with "+a" and
// not unsubscribed from with "-a", and is strict about both. Some connections are cut.
func (s *server) topics(c *session, r *http.Request) {
	var mu sync.Mutex
	known := map[string]bool{}
	numbers := map[string]int{} // of the next message; a topic that comes back goes on
	go func() {                 // ends with the connection
		for m := range c.All(context.Background()) {
			sign, key, _ := strings.Cut(m.String(), " ")
			mu.Lock()
			switch {
			case sign == "+" && !known[key]:
				known[key] = true
			case sign == "-" && known[key]:
				delete(known, key)
			case sign != "":
				s.fail(fmt.Errorf("the server: %q, where it knows %v", m, slices.Collect(maps.Keys(known))))
			}
			mu.Unlock()
		}
	}()
	for range c.random.IntN(3000) {
		if c.random.IntN(20) == 0 {
			time.Sleep(time.Duration(c.random.IntN(2000)) * time.Microsecond)
		}
		mu.Lock()
		var out []string
		for key := range known {
			out = append(out, fmt.Sprintf("%d %s", numbers[key], key))
			numbers[key]++
			break
		}
		mu.Unlock()
		for _, text := range out {
			if c.SendText(context.Background(), text) != nil {
				return
			}
		}
	}
	ways[c.random.IntN(len(ways))](c)
}

// oneMux takes topics of one source for short times, while its connection is cut.
func oneMux(w *world, random *rand.Rand) error {
	open := func(ctx context.Context) (*stream.Conn, error) { return dial.Dial(ctx, w.server.url("/topics"), nil) }
	src := redial.New(context.Background(), open, &redial.Options{
		Retry: func(int, error) (time.Duration, bool) { return time.Millisecond, true },
	})
	defer src.CloseNow(nil)
	spell := func(sign string) func(topics []string) []stream.Message {
		return func(topics []string) (all []stream.Message) {
			for _, topic := range topics {
				all = append(all, stream.Message{Type: stream.Text, Data: []byte(sign + " " + topic)})
			}
			return all
		}
	}
	m := mux.New(src, &mux.Options[string]{
		Topic: func(m stream.Message) (string, bool) {
			_, topic, ok := strings.Cut(m.String(), " ")
			return topic, ok
		},
		Subscribe: spell("+"), Unsubscribe: spell("-"),
		Linger: time.Duration(random.IntN(2)) * time.Millisecond,
	})
	var takers sync.WaitGroup
	for range 4 {
		seed := random.Uint64()
		takers.Go(func() {
			random := rand.New(rand.NewPCG(seed, 0))
			for range random.IntN(20) {
				if err := takeTopic(w, m, string(rune('a'+random.IntN(3))), 1+random.IntN(100)); err != nil {
					w.fail(err)
				}
			}
		})
	}
	takers.Wait()
	return nil
}

// takeTopic takes some messages of a topic: their numbers follow each other, but over a
// gap.
func takeTopic(w *world, m *mux.Mux[string], topic string, most int) error {
	q := &sequence{name: "topic " + topic}
	sub := m.Topic(topic).Chan(context.Background(), nil)
	defer sub.Cancel()
	known := false // which number comes next
	for msg := range sub.C {
		if msg.Type == stream.Notice {
			known = false
			continue
		}
		if !known {
			fmt.Sscan(msg.String(), &q.next)
			known = true
		}
		if err := w.took(q, msg); err != nil {
			return err
		}
		if most--; most == 0 {
			break
		}
	}
	return nil
}
