//go:build race

package stream

import "github.com/wsflow/wsflow/internal/bufpool"

// Lent returns the number of buffers that were taken and not given back.
func Lent() int64 { return bufpool.Lent() }
