package check

import (
	"errors"
	"fmt"

	"github.com/wsflow/wsflow/result"
)

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
