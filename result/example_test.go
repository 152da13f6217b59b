package result_test

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/wsflow/wsflow/result"
)

// ended tells how a connection ended.
func ended(ctx context.Context, promise *result.Promise) {
	status, err := promise.Wait(ctx) // the promise of dial.Connect, or of a connection's Result
	var closed *result.CloseError
	switch {
	case err == nil:
		fmt.Println("a good end:", status)
	case errors.As(err, &closed):
		fmt.Println("the peer closed with", closed.Code)
	case errors.As(err, new(*result.ConnectionFailed)):
		fmt.Println("no Close came:", err)
	}
}

func Example() {
	for _, err := range []error{nil, &result.CloseError{Code: result.StatusGoingAway}, &result.ConnectionFailed{Err: io.ErrUnexpectedEOF}} {
		promise, settle := result.NewPromise(nil)
		settle(result.Status{Code: result.StatusNormalClosure, Err: err})
		ended(context.Background(), promise)
	}
	// Output:
	// a good end: 1000 ""
	// the peer closed with 1001
	// no Close came: wsflow: connection failed: unexpected EOF
}

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
