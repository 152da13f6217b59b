package mux

import (
	"sync"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// calls are the requests that wait for their answers. All methods may be called
// from many goroutines.
type calls[K comparable] struct {
	mu      sync.Mutex
	waiting map[K]*call
	over    error // why there are no more answers; nil while there may be
}

// A call is a request that waits. It is settled once.
type call struct {
	conn    <-chan struct{} // closed when the connection that it goes out on has ended
	settled chan answer     // holds the answer, once it is there
}

type answer struct {
	m   stream.Message // owned
	err error
}

// add lets a request wait.
func (cs *calls[K]) add(key K, conn <-chan struct{}) (*call, error) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.over != nil {
		return nil, cs.over
	}
	if cs.waiting[key] != nil {
		return nil, &result.ArgumentError{Name: "key of mux.Mux.Call", Value: key, Allowed: "a key that no other call waits for"}
	}
	if cs.waiting == nil {
		cs.waiting = map[K]*call{}
	}
	c := &call{conn: conn, settled: make(chan answer, 1)}
	cs.waiting[key] = c
	return c, nil
}

// remove lets a request wait no more.
func (cs *calls[K]) remove(key K, c *call) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.waiting[key] == c {
		delete(cs.waiting, key)
	}
}

// answer gives a lent message to the request that waits for it, if there is one.
func (cs *calls[K]) answer(key K, m stream.Message) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c := cs.waiting[key]
	if c == nil {
		return false
	}
	delete(cs.waiting, key)
	c.settled <- answer{m: m.Clone()}
	return true
}

// lose fails those requests whose connection has ended.
func (cs *calls[K]) lose(err error) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for key, c := range cs.waiting {
		select {
		case <-c.conn:
			delete(cs.waiting, key)
			c.settled <- answer{err: err}
		default:
		}
	}
}

// end fails all requests, and those that come later.
func (cs *calls[K]) end(err error) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.over = err
	for _, c := range cs.waiting {
		c.settled <- answer{err: err}
	}
	clear(cs.waiting)
}
