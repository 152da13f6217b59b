package interop

import (
	"context"
	"testing"

	"github.com/wsflow/wsflow/stream"
)

// A sender sends messages, and returns when all of them were accepted.
type sender struct {
	name string
	send func(t *testing.T, conn *stream.Conn, messages []stream.Message)
}

var senders = []sender{
	{"Send", sendEach},
	{"Sink", sendSink},
	{"Writer", sendWriter},
}

func sendEach(t *testing.T, conn *stream.Conn, messages []stream.Message) {
	t.Helper()
	for _, m := range messages {
		if err := conn.Send(t.Context(), m); err != nil {
			t.Fatalf("Send of %s: %v", describe(m), err)
		}
	}
}

func sendSink(t *testing.T, conn *stream.Conn, messages []stream.Message) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	sink := conn.Sink(ctx, nil)
	defer close(sink)
	for _, m := range messages {
		select {
		case sink <- m:
		case <-ctx.Done():
			t.Fatalf("the Sink does not take %s", describe(m))
		}
	}
	if err := conn.Flush(ctx); err != nil {
		t.Fatalf("Flush: %v", err)
	}
}

// sendWriter writes each message in pieces of uneven length, which cut
// characters in two.
func sendWriter(t *testing.T, conn *stream.Conn, messages []stream.Message) {
	t.Helper()
	for _, m := range messages {
		w, err := conn.Writer(t.Context(), m.Type)
		if err != nil {
			t.Fatalf("Writer: %v", err)
		}
		for rest, n := m.Data, 1; len(rest) > 0; n = 3*n + 1 {
			n = min(n, len(rest))
			if _, err := w.Write(rest[:n]); err != nil {
				t.Fatalf("Write of %d bytes of %s: %v", n, describe(m), err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatalf("Close of the Writer: %v", err)
		}
	}
}
