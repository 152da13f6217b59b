package section

import (
	"strings"
	"testing"
	"time"
)

func TestPrint(t *testing.T) {
	s := New("RFC 1", map[string]string{"1": "First", "2.1": "The Second", "3": "Never Run"})
	s.Count("2.1", false)
	s.Count("1", true)
	s.Rule(t, "2.1", "in a bubble", func(*testing.T) { time.Sleep(time.Hour) })
	s.Case(t, "2.1", "in real time", func(*testing.T) {})
	var b strings.Builder
	s.Print(&b)
	want := `
RFC 1                 cases failed
1         First           1      1
2.1       The Second      3      0
all                       4      1

`
	if b.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", b.String(), want)
	}
}

func TestUnknownSection(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a case of a section without a title was counted")
		}
	}()
	New("RFC 1", map[string]string{"1": "First"}).Count("2", false)
}
