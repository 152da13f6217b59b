package main

import (
	"bytes"
	"strings"
	"testing"
)

// Every scenario runs once at least, and nothing is found.
func TestSoak(t *testing.T) {
	var out bytes.Buffer
	if err := soak([]string{"-time", "1ms", "-seed", "7"}, &out); err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(out.String(), "seed 7\n") {
		t.Errorf("it printed %q", out.String())
	}
}

func TestArguments(t *testing.T) {
	for _, arg := range []string{"-time=0s", "-workers=-1", "-nonsense"} {
		var out bytes.Buffer
		if err := soak([]string{arg}, &out); err == nil {
			t.Errorf("%s is accepted", arg)
		}
	}
}
