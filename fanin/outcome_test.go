package fanin

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/wsflow/wsflow/result"
)

func closedWith(code result.StatusCode) result.Status {
	return result.Status{Code: code, Err: &result.CloseError{Code: code}}
}

func TestOutcomeOfSuccesses(t *testing.T) {
	var o outcome
	for _, code := range []result.StatusCode{1000, 1005, 4000} {
		o.add("a", result.Status{Code: code})
	}
	if got := o.status(); got != (result.Status{Code: 1000}) {
		t.Errorf("the outcome is %v, %v", got, got.Err)
	}
	if got := new(outcome).status(); got != (result.Status{Code: 1000}) {
		t.Errorf("without members the outcome is %v, %v", got, got.Err)
	}
}

func TestOutcomeOfFailures(t *testing.T) {
	var o outcome
	o.add("north", result.Status{Code: 1000})
	o.add("east", closedWith(1001))
	o.add("south", result.Status{Code: 1006, Err: &result.ConnectionFailed{Err: io.EOF}})
	st := o.status()
	const want = `wsflow: 2 of 3 members failed: member "east": wsflow: closed with code 1001, reason ""; ` +
		`member "south": wsflow: connection failed: EOF`
	if st.Code != 1006 || st.Err.Error() != want {
		t.Errorf("the outcome is %v, %v", st, st.Err)
	}
	var general *result.General
	var closed *result.CloseError
	var failed *result.ConnectionFailed
	if !errors.As(st.Err, &general) || !errors.As(st.Err, &closed) || !errors.As(st.Err, &failed) {
		t.Error("the outcome does not wrap what the members ended with")
	}
}

// However many fail, the last eight are kept.
func TestOutcomeIsBounded(t *testing.T) {
	var o outcome
	for i := range 20 {
		o.add(fmt.Sprint(i), closedWith(result.StatusCode(4000+i)))
	}
	const want = `wsflow: 20 of 20 members failed, the last 8: member "12": `
	err := o.status().Err
	if got := err.Error()[:len(want)]; got != want || len(o.last) != 8 || cap(o.last) > 16 {
		t.Errorf("the outcome has %d errors and begins %q", len(o.last), got)
	}
	var closed *result.CloseError
	if !errors.As(err, &closed) || closed.Code != 4012 {
		t.Errorf("the first of them is %v", closed)
	}
}
