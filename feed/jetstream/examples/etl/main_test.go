package main

import (
	"bytes"
	"log"
	"strings"
	"testing"
	"time"
)

// All trades are stored once, although a worker dies.
func TestInside(t *testing.T) {
	m := &market{feeds: 4, trades: 1000, pause: 5 * time.Millisecond}
	var out bytes.Buffer
	if err := inside(t.Context(), m, log.New(&out, "", 0)); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if want := "worker-2 dies\n"; !strings.Contains(out.String(), want) {
		t.Errorf("the output is\n%s\nwithout %q", out.String(), want)
	}
	if want := "40 bars of 4000 trades are stored, 1600 of them large\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("the output is\n%s\nwant it to end with %q", out.String(), want)
	}
}
