package fanin

import (
	"fmt"
	"strings"

	"github.com/wsflow/wsflow/result"
)

// lastFailures is how many failures the end of a group names.
const lastFailures = 8

// An outcome adds up how the members of a group ended.
type outcome struct {
	ended  int
	failed int
	last   []error // the last failures, each with the member's name
}

// add takes in the end of a member.
func (o *outcome) add(name string, st result.Status) {
	o.ended++
	if st.Err == nil {
		return
	}
	o.failed++
	if len(o.last) == lastFailures {
		o.last = append(o.last[:0], o.last[1:]...)
	}
	o.last = append(o.last, fmt.Errorf("member %q: %w", name, st.Err))
}

// status returns how the group ends: with 1000 if no member failed, and else as
// a connection that ended without a Close does.
func (o *outcome) status() result.Status {
	if o.failed == 0 {
		return result.Status{Code: result.StatusNormalClosure}
	}
	return result.Status{
		Code: result.StatusAbnormalClosure,
		Err:  &result.General{Err: &failures{o.ended, o.failed, o.last}},
	}
}

// failures is what the end of a group wraps.
type failures struct {
	ended, failed int
	last          []error
}

func (f *failures) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d members failed", f.failed, f.ended)
	if f.failed > len(f.last) {
		fmt.Fprintf(&b, ", the last %d", len(f.last))
	}
	for i, err := range f.last {
		b.WriteString([]string{": ", "; "}[min(i, 1)])
		b.WriteString(err.Error())
	}
	return b.String()
}

func (f *failures) Unwrap() []error { return f.last }
