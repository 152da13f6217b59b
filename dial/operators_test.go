package dial

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/wsflow/wsflow/deflate"
	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

type inert struct{ name string }

func (inert) Attach(*stream.Link) (stream.Hooks, error) { return stream.Hooks{}, nil }

func TestDefaultOperatorsWithChanges(t *testing.T) {
	one, two := inert{"one"}, &inert{"two"}
	squeeze, beat := deflate.New(&deflate.Options{}), heartbeat.New(&heartbeat.Options{Interval: 10 * time.Second})
	d := defaultOperators
	for name, c := range map[string]struct{ changes, want []stream.Operator }{
		"none":           {nil, []stream.Operator{d[0], d[1]}},
		"more":           {[]stream.Operator{one, two}, []stream.Operator{one, two, d[0], d[1]}},
		"heartbeat":      {[]stream.Operator{beat}, []stream.Operator{d[0], beat}},
		"all, backwards": {[]stream.Operator{beat, one, squeeze}, []stream.Operator{one, squeeze, beat}},
		"the last":       {[]stream.Operator{heartbeat.New(nil), beat}, []stream.Operator{d[0], beat}},
	} {
		t.Run(name, func(t *testing.T) {
			got := DefaultOperators(c.changes...)
			if !slices.Equal(got, c.want) {
				t.Fatalf("DefaultOperators returns %v, want %v", got, c.want)
			}
			got[len(got)-1] = nil
			if slices.Contains(DefaultOperators(), nil) {
				t.Error("a caller's change of the list reaches the next caller")
			}
		})
	}
}

func TestDefaultOperatorsLeaveRefusalsToDial(t *testing.T) {
	_, err := Dial(t.Context(), "ws://a.test", &Options{Operators: DefaultOperators(nil)})
	if !errors.As(err, new(*result.ArgumentError)) {
		t.Errorf("Dial returns %v, want an ArgumentError", err)
	}
}
