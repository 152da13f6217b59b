package interop

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// sightings are the Close frames that a server received. All methods may be
// called from many goroutines.
type sightings struct {
	mu   sync.Mutex
	list []string
	more chan struct{} // closed at the next one
}

func newSightings() *sightings { return &sightings{more: make(chan struct{})} }

func (s *sightings) add(code int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, strings.TrimSpace(fmt.Sprint(code, " ", reason)))
	close(s.more)
	s.more = make(chan struct{})
}

// wait waits until the server has received such a Close frame, and forgets it.
func (s *sightings) wait(t *testing.T, code int, reason string) {
	t.Helper()
	want := strings.TrimSpace(fmt.Sprint(code, " ", reason))
	for {
		s.mu.Lock()
		i, more := slices.Index(s.list, want), s.more
		if i >= 0 {
			s.list = slices.Delete(s.list, i, i+1)
		}
		all := slices.Clone(s.list)
		s.mu.Unlock()
		if i >= 0 {
			return
		}
		if !within(t, more) {
			t.Fatalf("the server did not see the Close %q, only %q", want, all)
		}
	}
}
