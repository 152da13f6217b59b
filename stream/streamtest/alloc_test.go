//go:build !race

// Under the race detector pools forget on purpose, which shows as allocations.

package streamtest

import (
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/stream"
)

func TestAllocationsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ops := []stream.Operator{odd(allocates)}
		with, err := allocations(t.Context(), ops, ops)
		if err != nil {
			t.Fatal(err)
		}
		without, err := allocations(t.Context(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if more := with - without; more < 1.5 || more > 2.5 {
			t.Errorf("one more allocation there and one back count as %.2f", more)
		}
	})
}

func TestAllocationsAreJudged(t *testing.T) {
	if err := judge(false, 2.3, 2); err != nil {
		t.Errorf("error for what others allocated: %v", err)
	}
	wantError(t, judge(false, 3, 2), "costs 3.0 allocations, 2.0 without the operator")
	synctest.Test(t, func(t *testing.T) {
		if err := allocatesNothing(t.Context(), both(odd(allocates))); err != nil {
			t.Errorf("error for an operator with a hook for data: %v", err)
		}
	})
}
