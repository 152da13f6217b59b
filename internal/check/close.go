// Package check holds checks of arguments, and of what functions of the program do,
// that several packages make.
package check

import (
	"strconv"
	"unicode/utf8"

	"github.com/wsflow/wsflow/internal/wire"
	"github.com/wsflow/wsflow/result"
)

// Codes are the close codes that may be sent.
const Codes = "1000 to 1003, 1007 to 1014 or 3000 to 4999"

// Close returns a *result.ArgumentError if a program must not close with this code
// and reason.
func Close(code result.StatusCode, reason string) error {
	const limit = wire.MaxControl - 2
	switch {
	case code == result.StatusNoStatusRcvd && reason != "":
		return &result.ArgumentError{Name: "reason", Value: reason, Allowed: "an empty one with code 1005, which sends no code"}
	case code != result.StatusNoStatusRcvd && !code.Sendable():
		return &result.ArgumentError{Name: "close code", Value: int(code), Allowed: Codes + ", or 1005 to send none"}
	case len(reason) > limit:
		return &result.ArgumentError{Name: "reason", Value: reason, Allowed: "up to " + strconv.Itoa(limit) + " bytes; it has " + strconv.Itoa(len(reason))}
	case !utf8.ValidString(reason):
		return &result.ArgumentError{Name: "reason", Value: reason, Allowed: "valid UTF-8"}
	}
	return nil
}
