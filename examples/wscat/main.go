// Wscat is a WebSocket client for the command line: each line of standard input
// is sent as a text message, and each message that comes is printed.
//
//	go run ./examples/wscat [flags] URL
//
//	-H 'Key: value'  send this with the opening handshake (may be repeated)
//	-s NAME          offer this subprotocol (may be repeated, the best first)
//	-k               forgive whatever is wrong with the server's certificate
//	-raw             write binary messages as they are, and nothing after them
//
// A text message becomes a line. So does a binary message, as its bytes in
// hexadecimal behind the word "binary", unless there is -raw.
//
// The end of the input (^D) and an interrupt (^C) close the connection with
// 1000, after what was read before has been sent. The exit status is 0 if the
// connection ended with a success, 2 if an argument cannot be used, and 1 if
// anything else went wrong; standard error says what.
//
// It shows a sink whose end is that of the connection, the channel of messages,
// and the errors: see talk.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/wsflow/wsflow/result"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second ^C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program. It returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	o.dial.Logger = logger(stderr)
	err = talk(ctx, o, stdin, stdout)
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "wscat:", flagNames.Replace(err.Error()))
	var bad *result.ArgumentError
	if errors.As(err, &bad) {
		return 2
	}
	return 1
}

// logger prints the connection's warnings, such as of a line that is not UTF-8
// and could not be sent.
func logger(w io.Writer) *zap.Logger {
	config := zapcore.EncoderConfig{MessageKey: "message", ConsoleSeparator: " "}
	return zap.New(zapcore.NewCore(zapcore.NewConsoleEncoder(config), zapcore.Lock(zapcore.AddSync(w)), zap.WarnLevel))
}
