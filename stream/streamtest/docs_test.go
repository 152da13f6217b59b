package streamtest_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDocs holds the code in the page about operators to that in this package,
// which is compiled and tested.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/operators.md")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, name := range []string{"tally_test.go", "scramble_test.go", "example_test.go"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(b)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) < 3 {
		t.Errorf("the page has %d blocks of code, want both operators and their test", len(blocks))
	}
	for _, b := range blocks {
		if !strings.Contains(code.String(), b[1]) {
			t.Errorf("this block of the page is in no file of the package:\n%s", b[1])
		}
	}
}
