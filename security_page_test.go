package wsflow_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each promise and each bound of SECURITY.md names the tests that hold it, and
// those are there.
func TestSecurityPage(t *testing.T) {
	page, err := os.ReadFile("SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := make(map[string]bool)
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	for _, folder := range []string{".", "dial", "stream", "deflate"} {
		files, _ := filepath.Glob(filepath.Join(folder, "*_test.go"))
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range declared.FindAllSubmatch(source, -1) {
				tests[string(name[1])] = true
			}
		}
	}
	named, rows := regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w+)`"), 0
	for row := range strings.Lines(string(page)) {
		if !strings.HasPrefix(row, "| ") || strings.Contains(row, "held by") {
			continue
		}
		rows++
		names := named.FindAllStringSubmatch(row, -1)
		if len(names) == 0 {
			t.Errorf("no test holds: %s", row)
		}
		for _, name := range names {
			if !tests[name[1]] {
				t.Errorf("there is no %s, which is said to hold: %s", name[1], row)
			}
		}
	}
	if rows < 20 {
		t.Errorf("the page has %d rows", rows)
	}
}
