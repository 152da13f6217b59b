package stream_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Of Joins at the same moment that would together make a circle, one is refused.
func TestJoinsAtATimeMakeNoCircle(t *testing.T) {
	const round = 3
	for range 2000 {
		var relays [round]*stream.Relay
		var feeders [round]*stream.Feeder
		var refused [round]error
		for i := range round {
			relays[i], feeders[i] = stream.NewRelay(nil)
		}
		var all sync.WaitGroup
		start := make(chan struct{})
		for i := range round {
			all.Go(func() {
				<-start
				_, refused[i] = feeders[i].Join(relays[(i+1)%round], nil)
			})
		}
		close(start)
		all.Wait()
		bad := 0
		for _, err := range refused {
			if errors.As(err, new(*result.ArgumentError)) {
				bad++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if bad != 1 {
			t.Fatalf("of %d Joins %d were refused, want 1", round, bad)
		}
	}
}
