package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/wsflow/wsflow/result"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestArguments(t *testing.T) {
	for name, o := range map[string]*Options{
		"embedded.Options.Dir":       nil,
		"embedded.Options.MaxStore":  {Dir: "x", MaxStore: -1},
		"embedded.Options.MaxMemory": {Dir: "x", MaxMemory: -1},
		"embedded.Options.Listen":    {Dir: "x", Listen: "localhost"},
	} {
		var bad *result.ArgumentError
		if _, err := Start(o); !errors.As(err, &bad) || bad.Name != name {
			t.Errorf("the error is %v, want one of %s", err, name)
		}
	}
}

// A server that cannot store says why.
func TestBadDir(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(&Options{Dir: file}); err == nil {
		t.Error("a server stores in a file")
	} else {
		t.Log(err)
	}
}

// Other programs reach the server where it listens, and nowhere else.
func TestListen(t *testing.T) {
	quiet, err := Start(&Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer quiet.Close()
	if url := quiet.URL(); url != "" {
		t.Errorf("a server that listens nowhere is reached at %s", url)
	}
	open, err := Start(&Options{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	nc, err := nats.Connect(open.URL())
	if err != nil {
		t.Fatalf("%s: %v", open.URL(), err)
	}
	defer nc.Close()
	if most := nc.MaxPayload(); most != maxPayload {
		t.Errorf("it takes messages up to %d bytes, want %d", most, maxPayload)
	}
	open.Close()
	open.Close() // does nothing
}
