package wsflow_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/wsflow/wsflow"

// allowed is the law of imports: which packages of the module each one may
// import, tests aside. Operators know neither each other nor dial; stream knows
// no operator.
var allowed = map[string][]string{
	".":                 {},
	"internal/wire":     {},
	"internal/backoff":  {},
	"internal/bufpool":  {},
	"internal/check":    {"internal/wire", "result"},
	"internal/cut":      {},
	"internal/faces":    {"stream", "result"},
	"internal/faults":   {"stream", "result", "internal/script"},
	"internal/section":  {},
	"internal/serial":   {},
	"internal/script":   {"stream", "result", "internal/wire"},
	"result":            {"internal/serial"},
	"stream":            {"internal/bufpool", "internal/check", "internal/cut", "internal/serial", "internal/wire", "result"},
	"stream/streamtest": {"stream", "result", "internal/script", "internal/wire"},
	"deflate":           {"stream", "result", "internal/wire"},
	"heartbeat":         {"stream", "result"},
	"redial":            {"stream", "result", "internal/backoff", "internal/check"},
	"dial":              {"internal/check", "redial", "stream", "result", "deflate", "heartbeat", "internal/cut", "internal/serial", "internal/wire"},
	"fanin":             {"stream", "result", "internal/check"},
	"feed":              {"stream", "result", "internal/backoff", "internal/check"},
	"feed/storetest":    {"feed", "stream", "result"},
	"mux":               {"stream", "result", "internal/check"},
}

// walk calls f with each Go file of the module that is no test.
func walk(t *testing.T, f func(path string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && path != ".":
			_, err := os.Stat(filepath.Join(path, "go.mod"))
			if err == nil || strings.HasPrefix(e.Name(), ".") || e.Name() == "testdata" {
				return fs.SkipDir
			}
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			f(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestImportLaw(t *testing.T) {
	seen := map[string]bool{}
	walk(t, func(path string) {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.ToSlash(filepath.Dir(path))
		law, known := allowed[folder]
		if !known && !strings.HasPrefix(folder, "examples/") {
			t.Errorf("%s: the law says nothing of this package", folder)
		}
		seen[folder] = true
		for _, spec := range file.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			ours, is := strings.CutPrefix(name, module+"/")
			switch {
			case !is:
			case known && !slices.Contains(law, ours):
				t.Errorf("%s imports %s", path, ours)
			case !known && strings.Contains(name, "internal/"):
				t.Errorf("%s imports %s: an example uses what its reader can", path, ours)
			}
		}
	})
	for folder := range allowed {
		if !seen[folder] {
			t.Errorf("%s: the law speaks of a package that is not there", folder)
		}
	}
}

// Compression is an operator's affair: the core and the other operator hold no
// word of it but in comments.
func TestCompressionStaysInItsPackage(t *testing.T) {
	word := regexp.MustCompile(`(?i)flate|compress`)
	walk(t, func(path string) {
		if folder := filepath.ToSlash(filepath.Dir(path)); folder != "stream" && folder != "heartbeat" {
			return
		}
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(source), "\n") {
			code, _, _ := strings.Cut(line, "//")
			if word.MatchString(code) {
				t.Errorf("%s:%d: %s", path, i+1, line)
			}
		}
	})
}
