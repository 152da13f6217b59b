package stream

import "sync"

// A serial runs functions one at a time, in the order in which they were
// posted, on a goroutine that is there only while there is something to run.
type serial struct {
	run     func(func()) // runs one; nil runs it right there
	gate    func()       // waits before the first; may be nil
	mu      sync.Mutex
	queue   []func()
	running bool
}

func (s *serial) post(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, f)
	if !s.running {
		s.running = true
		go s.work() // ends when the queue is empty
	}
}

// work runs what is queued. If a function ends the goroutine, the rest is run on
// another.
func (s *serial) work() {
	done := false
	defer func() {
		if !done {
			go s.work() // ends when the queue is empty
		}
	}()
	if s.gate != nil {
		s.gate()
	}
	for {
		s.mu.Lock()
		if len(s.queue) == 0 {
			s.running = false
			s.mu.Unlock()
			done = true
			return
		}
		f := s.queue[0]
		s.queue = s.queue[1:]
		s.mu.Unlock()
		if s.run != nil {
			s.run(f)
		} else {
			f()
		}
	}
}
