package fanin_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/fanin"
)

// The end of a group that is a member of another is told of last, whatever its own
// members have told of theirs, and it is open while one of them brings messages.
func TestEndOfAGroupInAGroup(t *testing.T) {
	const left = "a: gap 1 to 0, 1000 \"\", final: true"
	for _, test := range []struct {
		name string
		ends func(inner *fanin.Group, one, two *feed)
		want []string
	}{
		{"one has ended, and one is removed", func(inner *fanin.Group, one, two *feed) {
			one.closes(1000)
			synctest.Wait()
			two.sends("2")
			synctest.Wait()
			inner.Members()[0].Remove()
		}, []string{left, "a: 2", left}},
		{"the last one did not fail", func(inner *fanin.Group, one, two *feed) {
			one.closes(1011)
			synctest.Wait()
			two.closes(1000)
		}, []string{`a: gap 1 to 0, 1011 "", final: true`, left, `a: gap 1 to 0, 1006 "", final: true`}},
		{"all have ended well", func(inner *fanin.Group, one, two *feed) {
			one.closes(1000)
			synctest.Wait()
			two.closes(1000)
		}, []string{left, left}},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				outer, inner := fanin.New(nil), fanin.New(nil)
				one, two := newFeed(t), newFeed(t)
				add(t, inner, "one", one.near)
				add(t, inner, "two", two.near)
				m := add(t, outer, "a", inner)
				inner.Close()
				outer.Close()
				sub := outer.Chan(ctx, nil)
				one.sends("1")
				synctest.Wait()
				if !m.Stats().Open {
					t.Error("it is not open")
				}
				test.ends(inner, one, two)
				all, _ := said(sub)
				if want := append([]string{"a: 1"}, test.want...); !slices.Equal(all, want) {
					t.Errorf("it gave\n%s\nwant\n%s", strings.Join(all, "\n"), strings.Join(want, "\n"))
				}
				if m.Stats().Open {
					t.Error("it is open")
				}
			})
		})
	}
}
