package check

import (
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/result"
)

// Run calls do, which calls functions of the program, and reports whether it returned.
// If one of them panics or ends the goroutine, that is logged, and fail is called with
// what [Panicked] makes of it. where says which function it is.
func Run(where string, log *zap.Logger, fail func(error), do func()) (returned bool) {
	defer func() {
		if returned {
			return
		}
		err := Panicked(where, recover())
		log.Error(where+" panicked", zap.Error(err), zap.Stack("stack"))
		fail(err)
	}()
	do()
	return true
}

// Panicked returns the error that a function of the program has panicked with, or makes
// one of what it has panicked with. v is what recover returned: nil if the function has
// called runtime.Goexit. where says which function it is.
func Panicked(where string, v any) error {
	switch v := v.(type) {
	case error:
		return v
	case nil:
		return &result.General{Err: errors.New(where + " called runtime.Goexit")}
	}
	return &result.General{Err: fmt.Errorf("%s panicked: %v", where, v), Value: v}
}
