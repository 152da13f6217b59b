package result_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/wsflow/wsflow/result"
)

var texts = []struct {
	err  error
	want string
}{
	{&result.CloseError{Code: 4001, Reason: "no\ncredit"}, `wsflow: closed with code 4001, reason "no\ncredit"`},
	{&result.CloseError{Code: 1001}, `wsflow: closed with code 1001, reason ""`},
	{&result.ConnectionFailed{Err: io.EOF}, "wsflow: connection failed: EOF"},
	{&result.General{Err: io.EOF}, "wsflow: EOF"},
	{&result.General{Err: io.EOF, Value: "what panicked"}, "wsflow: EOF"},
	{&result.ArgumentError{Name: "a.B", Value: 7, Allowed: "8 to 15"}, "a.B is 7: allowed is 8 to 15"},
	{&result.ArgumentError{Name: "a.B", Value: "x\r\ny", Allowed: "a token"}, `a.B is "x\r\ny": allowed is a token`},
	{&result.ArgumentError{Name: "a.B", Value: "", Allowed: "a token"}, `a.B is "": allowed is a token`},
	{&result.ArgumentError{Name: "a.B", Allowed: "no control characters"}, "a.B: allowed is no control characters"},
	{&result.ProtocolError{Code: 1002, What: "the opcode 0x3 is reserved"}, "protocol error (1002): the opcode 0x3 is reserved"},
}

func TestErrorTexts(t *testing.T) {
	for _, test := range texts {
		if got := test.err.Error(); got != test.want {
			t.Errorf("%#v says %q, want %q", test.err, got, test.want)
		}
	}
}

// as finds a T in an error and tells whether it is want.
func as[T error](t *testing.T, err error, want T) {
	t.Helper()
	var got T
	if !errors.As(err, &got) || error(got) != error(want) {
		t.Errorf("errors.As(%v) finds %#v, want %#v", err, got, want)
	}
}

// Each type is found under what wraps it, and what it wraps is found in it.
func TestErrorsUnwrap(t *testing.T) {
	breach := &result.ProtocolError{Code: 1007, What: "not UTF-8"}
	failed := &result.ConnectionFailed{Err: fmt.Errorf("reading: %w", breach)}
	argument := &result.ArgumentError{Name: "a", Allowed: "b"}
	general := &result.General{Err: argument}
	closed := &result.CloseError{Code: 4000}

	as(t, fmt.Errorf("outside: %w", failed), failed)
	as(t, failed, breach)
	as(t, fmt.Errorf("outside: %w", general), general)
	as(t, general, argument)
	as(t, fmt.Errorf("outside: %w", closed), closed)

	if errors.Unwrap(failed) != failed.Err || errors.Unwrap(general) != general.Err {
		t.Error("Unwrap does not return Err")
	}
	for _, err := range []error{closed, breach, argument} {
		if got := errors.Unwrap(err); got != nil {
			t.Errorf("%v wraps %v", err, got)
		}
	}
}

// No type passes for another one.
func TestErrorsAreToldApart(t *testing.T) {
	all := []error{
		&result.CloseError{}, &result.ConnectionFailed{Err: io.EOF}, &result.General{Err: io.EOF},
		&result.ArgumentError{}, &result.ProtocolError{},
	}
	is := []func(error) bool{
		func(err error) bool { return errors.As(err, new(*result.CloseError)) },
		func(err error) bool { return errors.As(err, new(*result.ConnectionFailed)) },
		func(err error) bool { return errors.As(err, new(*result.General)) },
		func(err error) bool { return errors.As(err, new(*result.ArgumentError)) },
		func(err error) bool { return errors.As(err, new(*result.ProtocolError)) },
	}
	for i, err := range all {
		for j, is := range is {
			if is(err) != (i == j) {
				t.Errorf("%T passes for %T: %t", err, all[j], is(err))
			}
		}
	}
}
