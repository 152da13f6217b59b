package wsflow_test

import (
	"cmp"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages are the documents for people, whose examples and links must hold.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "bench/*.md"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			found[name] = string(text)
		}
	}
	return found
}

// plain returns the lines without what stands before and behind them, so that
// code is found wherever it is indented.
func plain(code string) string {
	var lines []string
	for line := range strings.Lines(code) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// Each block of Go in the README stands in a file that is compiled, and run by
// a test.
func TestReadmeCode(t *testing.T) {
	readme := pages(t)["README.md"]
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(readme, -1)
	if len(blocks) == 0 {
		t.Fatal("the README holds no Go")
	}
	var source strings.Builder
	for _, name := range []string{"examples/quickstart/main.go", "example_test.go", "redial/example_test.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source.WriteString(plain(string(text)))
	}
	for _, b := range blocks {
		if !strings.Contains(source.String(), plain(b[1])) {
			t.Errorf("this stands in no file that is run:\n%s", b[1])
		}
	}
}

// The comment of each package begins with an example, which stands in a file that
// is compiled, and run by a test.
func TestPackageComments(t *testing.T) {
	elsewhere := map[string]string{
		".":                 "examples/quickstart/main.go",
		"stream/streamtest": "stream/streamtest/operators_test.go",
		"feed/storetest":    "feed/memory_test.go",
	}
	for folder := range allowed {
		if strings.HasPrefix(folder, "internal/") {
			continue
		}
		example := cmp.Or(elsewhere[folder], filepath.Join(folder, "example_test.go"))
		comment := packageComment(t, folder)
		code := regexp.MustCompile(`(?m)^\t.*\n(?:(?:\t.*)?\n)*`).FindString(comment)
		text, err := os.ReadFile(example)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case code == "":
			t.Errorf("%s: the package comment has no example", folder)
		case !strings.Contains(plain(string(text)), plain(code)):
			t.Errorf("%s: this does not stand in %s:\n%s", folder, example, code)
		}
	}
}

// packageComment returns the comment of the package in a folder.
func packageComment(t *testing.T, folder string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if file.Doc != nil {
			return file.Doc.Text()
		}
	}
	return ""
}

// The README's first example is most of a program. It is run against a server
// that answers, and without a URL against its own.
func TestReadmeProgram(t *testing.T) {
	server := echo()
	defer server.Close()
	for _, args := range [][]string{{server.URL}, nil} {
		out, err := exec.CommandContext(t.Context(), "go", append([]string{"run", "./examples/quickstart"}, args...)...).CombinedOutput()
		if want := "hello\n"; err != nil || string(out) != want {
			t.Errorf("given %q it ended with %v and printed %q, want %q", args, err, out, want)
		}
	}
}

// The page about fuzzing has each target, and no other.
func TestFuzzingPage(t *testing.T) {
	var targets []string
	target := regexp.MustCompile(`(?m)^func (Fuzz\w+)\(f \*testing\.F\)`)
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range target.FindAllStringSubmatch(string(source), -1) {
			targets = append(targets, m[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for row := range strings.Lines(pages(t)["docs/fuzzing.md"]) {
		if strings.HasPrefix(row, "| `Fuzz") {
			cell, _, _ := strings.Cut(row[1:], "|")
			rows = append(rows, regexp.MustCompile(`Fuzz\w+`).FindAllString(cell, -1)...)
		}
	}
	slices.Sort(targets)
	slices.Sort(rows)
	if !slices.Equal(rows, targets) {
		t.Errorf("docs/fuzzing.md has %q, the code has %q", rows, targets)
	}
}

// Links to files lead somewhere.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	code := regexp.MustCompile("(?s)```.*?```")
	for page, text := range pages(t) {
		text = code.ReplaceAllString(text, "")
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}
