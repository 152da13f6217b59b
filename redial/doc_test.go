package redial_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// lines returns the lines of code without what stands before and behind them.
func lines(code string) string {
	var all []string
	for line := range strings.Lines(code) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return strings.Join(all, "\n") + "\n"
}

// The code in the package's comment, and on the page about feeds, stands in the
// examples, which are run.
func TestDocumentedCode(t *testing.T) {
	examples := read(t, "example_test.go")
	comment := regexp.MustCompile(`(?m)^// ?`).ReplaceAllString(read(t, "doc.go"), "")
	blocks := regexp.MustCompile(`(?m)(?:^\t.*\n|^\n)+`).FindAllString(comment, -1)
	for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(read(t, "../docs/feeds.md"), -1) {
		blocks = append(blocks, block[1])
	}
	found := 0
	for _, block := range blocks {
		if !strings.Contains(block, ":=") {
			continue // a picture or a table
		}
		found++
		if !strings.Contains(lines(examples), lines(block)) {
			t.Errorf("this stands in no example:\n%s", block)
		}
	}
	if found < 5 {
		t.Errorf("only %d pieces of code were found", found)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
