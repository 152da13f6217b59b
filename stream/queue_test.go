package stream_test

import (
	"testing"

	"github.com/wsflow/wsflow/stream"
)

func TestPolicyString(t *testing.T) {
	for p, want := range map[stream.Policy]string{
		stream.Block: "Block", stream.DropOldest: "DropOldest", stream.DropNewest: "DropNewest", stream.Latest: "Latest", stream.Fail: "Fail",
		-1: "Policy(-1)", 5: "Policy(5)",
	} {
		if got := p.String(); got != want {
			t.Errorf("Policy %d is %s, want %s", int(p), got, want)
		}
	}
}
