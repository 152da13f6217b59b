package mux_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// A topic that the server refuses ends alone, and may be tried again.
func TestFail(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, m := plain(t, options(10))
		a, b := m.Topic("a").Chan(ctx, nil), m.Topic("b").Chan(ctx, nil)
		s.wants("a,b")
		refused := errors.New("no such topic")
		delete(s.knows, "a")
		m.Fail("a", refused)
		m.Fail("nobody", refused)
		if _, ok := <-a.C; ok || a.Err() != refused {
			t.Errorf("it ended with %t, %v", ok, a.Err())
		}
		again := m.Topic("a").Chan(ctx, nil)
		s.wants("a,b")
		s.sends("a:1", "b:1")
		gets(t, again, "a:1")
		gets(t, b, "b:1")
		m.Fail("b", nil)
		if _, ok := <-b.C; ok || b.Err() != nil {
			t.Errorf("it ended with %t, %v", ok, b.Err())
		}
	})
}

// What was made for topics of which all have failed meanwhile is not sent.
func TestFailWhileSubscribing(t *testing.T) {
	for name, test := range map[string]struct {
		fail []string
		want []string
	}{
		"all":      {[]string{"a", "b"}, []string{"+a"}},
		"one of 2": {[]string{"a"}, []string{"+a", "+b"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				pass := make(chan struct{}, 1)
				o := options(1)
				o.Limiter = limiterFunc(func(ctx context.Context) error {
					select {
					case <-pass:
						return nil
					case <-ctx.Done():
						return context.Cause(ctx)
					}
				})
				s, m := plain(t, o)
				for _, key := range []string{"a", "b"} {
					m.Topic(key).Chan(ctx, nil)
				}
				synctest.Wait()
				pass <- struct{}{}
				s.wantsHeard("+a")
				for _, key := range test.fail {
					delete(s.knows, key)
					m.Fail(key, errors.New("no such topic"))
				}
				again := m.Topic("a").Chan(ctx, nil) // its turn comes later
				pass <- struct{}{}
				s.wantsHeard(test.want...)
				pass <- struct{}{}
				s.wantsHeard(append(test.want, "+a")...)
				again.Cancel()
			})
		})
	}
}
