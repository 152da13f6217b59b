package interop

import (
	"os"
	"strings"
	"testing"
)

const (
	page  = "../docs/interop.md"
	begin = "<!-- begin: go test -update writes this -->\n"
	end   = "<!-- end -->\n"
)

// checkPage holds the page against what was found, or writes it.
func checkPage(t *testing.T) {
	switch {
	case !found.complete():
		t.Log("the page is not checked: not everything was tried")
		return
	case found.failed() && !*update:
		return // which says enough
	}
	old, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(old), begin)
	_, after, also := strings.Cut(rest, end)
	if !ok || !also {
		t.Fatalf("%s has no lines %q and %q", page, begin, end)
	}
	text := before + begin + "\n" + found.markdown() + "\n" + end + after
	switch {
	case text == string(old):
	case *update:
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s does not say what was found: go test -update writes it", page)
	}
}
