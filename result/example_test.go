package result_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/wsflow/wsflow/result"
)

// A connection settles its promise when it ends. Here the program does so
// itself.
func ExampleNewPromise() {
	promise, settle := result.NewPromise(nil)
	promise.Then(
		func(s result.Status) { fmt.Println("resolved with", s) },
		func(err error) { fmt.Println("rejected with", err) },
	)
	fmt.Println(settle(result.Status{Code: result.StatusNormalClosure, Reason: "done"}))
	fmt.Println(settle(result.Status{Code: result.StatusGoingAway}))

	s, err := promise.Wait(context.Background())
	fmt.Println(s.Code, s.Reason, err)
	// Output:
	// resolved with 1000 "done"
	// true
	// false
	// 1000 done <nil>
}

// What kind of end it was shows in the error's type.
func ExampleCloseError() {
	promise, settle := result.NewPromise(nil)
	settle(result.Status{
		Code: result.StatusGoingAway, Reason: "restart",
		Err: &result.CloseError{Code: result.StatusGoingAway, Reason: "restart"},
	})
	promise.Then(nil, func(err error) {
		var closed *result.CloseError
		if errors.As(err, &closed) && closed.Code == result.StatusGoingAway {
			fmt.Println("dial again:", closed.Reason)
		}
	})
	// Output:
	// dial again: restart
}
