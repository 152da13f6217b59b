package recipes_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The page and this folder hold the same recipes: each block of code stands in
// the file that is named above it, and each file with an example is named.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, recipe := range strings.Split(string(page), "\n## ")[1:] {
		title, _, _ := strings.Cut(recipe, "\n")
		link := regexp.MustCompile(`\]\(recipes/(\w+_test\.go)\)`).FindStringSubmatch(recipe)
		if link == nil {
			t.Errorf("%s: no file is named", title)
			continue
		}
		named[link[1]] = true
		source, err := os.ReadFile(link[1])
		if err != nil {
			t.Errorf("%s: %v", title, err)
		}
		blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(recipe, -1)
		if len(blocks) == 0 {
			t.Errorf("%s: there is no code", title)
		}
		for _, b := range blocks {
			if !strings.Contains(string(source), b[1]) {
				t.Errorf("%s: this does not stand in %s:\n%s", title, link[1], b[1])
			}
		}
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(`(?m)^func Example`).Match(source) && !named[name] {
			t.Errorf("%s: the page does not name it", name)
		}
	}
}
