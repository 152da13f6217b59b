package check

import (
	"context"

	"github.com/wsflow/wsflow/result"
)

// Context returns a *result.ArgumentError if ctx is nil.
func Context(ctx context.Context) error {
	if ctx == nil {
		return &result.ArgumentError{Name: "ctx", Allowed: "a context, not nil"}
	}
	return nil
}
