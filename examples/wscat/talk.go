package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// talk connects, sends and prints until the connection ends. It returns nil if
// that was a success.
func talk(ctx context.Context, o *options, stdin io.Reader, stdout io.Writer) error {
	conn, err := dial.Dial(ctx, o.url, &o.dial)
	if err != nil {
		return err
	}
	defer conn.CloseNow(nil)
	// An interrupt only begins the closing handshake: what was read before is
	// sent and what comes until its end is printed, under another context.
	defer context.AfterFunc(ctx, func() { conn.Close(result.StatusNormalClosure, "") })()
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)

	messages := conn.Chan(ctx, nil) // before anything closes the connection
	// Ends with the input or, if that has no end, with the program.
	go sendLines(ctx, cancel, stdin, conn.Sink(ctx, &stream.SinkOptions{CloseConn: true}))
	for m := range messages.C {
		err := o.print(stdout, m)
		m.Release()
		if err != nil {
			return err
		}
	}
	return messages.Err()
}

// sendLines sends each line of r to the sink and then closes the sink, which
// closes the connection. If r cannot be read it cancels ctx with the error.
func sendLines(ctx context.Context, cancel context.CancelCauseFunc, r io.Reader, sink chan<- stream.Message) {
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil && err != io.EOF {
			cancel(fmt.Errorf("standard input cannot be read: %w", err))
			return
		}
		if len(line) > 0 {
			select {
			case sink <- stream.Message{Type: stream.Text, Data: bytes.TrimRight(line, "\r\n")}:
			case <-ctx.Done():
				return
			}
		}
		if err == io.EOF {
			close(sink)
			return
		}
	}
}

// print writes a message to w, with one write.
func (o *options) print(w io.Writer, m stream.Message) (err error) {
	switch {
	case m.Type == stream.Text:
		_, err = fmt.Fprintf(w, "%s\n", m.Data)
	case o.raw:
		_, err = w.Write(m.Data)
	default:
		_, err = fmt.Fprintf(w, "binary %x\n", m.Data)
	}
	return err
}
