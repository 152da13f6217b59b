package dial

import (
	"reflect"
	"slices"
	"sync"

	"github.com/wsflow/wsflow/deflate"
	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/stream"
)

// The default operators, and what they offer, are shared by all connections that
// leave the choice to us.
var (
	defaultOperators = []stream.Operator{deflate.New(nil), heartbeat.New(nil)}
	defaultOffer     = sync.OnceValues(func() (offer, error) { return newOffer(defaultOperators) })
)

// DefaultOperators returns what Options.Operators has if it is nil, compression
// and heartbeat, with changes. Each given operator takes the place of the default
// of its type; where there is none, it is added in front, nearest the application,
// in the order given.
//
//	dial.DefaultOperators(mine)                                                       // one more
//	dial.DefaultOperators(heartbeat.New(&heartbeat.Options{Interval: 10*time.Second})) // another interval
//
// The list is the caller's. What cannot be used in it is refused when a connection
// is made.
func DefaultOperators(changes ...stream.Operator) []stream.Operator {
	defaults := slices.Clone(defaultOperators)
	var added []stream.Operator
	for _, op := range changes {
		at := slices.IndexFunc(defaultOperators, func(d stream.Operator) bool { return reflect.TypeOf(d) == reflect.TypeOf(op) })
		if at < 0 {
			added = append(added, op)
		} else {
			defaults[at] = op
		}
	}
	return append(added, defaults...)
}
