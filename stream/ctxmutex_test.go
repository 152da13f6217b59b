package stream

import (
	"sync"
	"testing"
	"testing/synctest"
)

// One at a time holds the lock, however it is taken.
func TestCtxMutexExcludes(t *testing.T) {
	var m ctxMutex
	n, all := 0, sync.WaitGroup{}
	for i := range 8 {
		all.Go(func() {
			for range 500 {
				if i%2 == 0 || !m.tryLock() {
					m.locking() <- struct{}{}
				}
				n++ // the race detector sees whoever does not hold the lock
				m.unlock()
			}
		})
	}
	all.Wait()
	if n != 4000 || m.held() {
		t.Errorf("the lock was held %d times, and is held now: %t", n, m.held())
	}
}

// It is held or it is not, before and after somebody has waited.
func TestCtxMutexTells(t *testing.T) {
	var m ctxMutex
	check := func(what string, held bool) {
		t.Helper()
		if m.held() != held {
			t.Errorf("%s: held is %t", what, !held)
		}
	}
	check("new", false)
	if !m.tryLock() || m.tryLock() {
		t.Error("it is not taken by the first, or by the second as well")
	}
	check("locked", true)
	ch := m.locking() // from now on there is a channel
	check("waited for", true)
	select {
	case ch <- struct{}{}:
		t.Error("two hold it")
	default:
	}
	m.unlock()
	check("unlocked", false)
	ch <- struct{}{}
	check("locked by the channel", true)
	if m.tryLock() {
		t.Error("two hold it")
	}
	m.unlock()
	if !m.tryLock() {
		t.Error("nobody holds it, and it cannot be taken")
	}
}

// "Those who wait get it in the order in which they came."
func TestCtxMutexIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const waiting = 10
		var m ctxMutex
		m.tryLock()
		order := make(chan int, waiting)
		for i := range waiting {
			go func() {
				m.locking() <- struct{}{}
				order <- i
				m.unlock()
			}()
			synctest.Wait()
		}
		m.unlock()
		for i := range waiting {
			if got := <-order; got != i {
				t.Errorf("number %d is the %d-th to get it", got, i)
			}
		}
	})
}
