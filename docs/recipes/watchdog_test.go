package recipes_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/stream"
)

var errNoData = errors.New("no data came for too long")

// receiveLively ends a connection on which no message comes for so long. The
// heartbeat does not see that: the server lives, but its feed stands still.
func receiveLively(ctx context.Context, conn *stream.Conn, limit time.Duration, handle func(stream.Message)) error {
	watchdog := time.AfterFunc(limit, func() { conn.CloseNow(errNoData) })
	defer watchdog.Stop()
	for message, err := range conn.All(ctx) {
		if err != nil {
			return err // errors.Is(err, errNoData), if that is why
		}
		watchdog.Stop() // the time that handle takes is not the server's
		handle(message)
		watchdog.Reset(limit)
	}
	return nil
}

func TestWatchdog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		client, err := stream.New(near, stream.Client, nil)
		if err != nil {
			t.Fatal(err)
		}
		server, err := stream.New(far, stream.Server, nil)
		if err != nil {
			t.Fatal(err)
		}
		go func() { // ends with the third message
			for _, text := range []string{"one", "two", "three"} {
				time.Sleep(4 * time.Second)
				server.SendText(t.Context(), text)
			}
		}()
		var got []string
		start := time.Now()
		err = receiveLively(t.Context(), client, 5*time.Second, func(m stream.Message) {
			got = append(got, m.String())
			time.Sleep(time.Minute) // longer than the limit
		})
		if !errors.Is(err, errNoData) || !slices.Equal(got, []string{"one", "two", "three"}) {
			t.Errorf("it ends with %v after %q", err, got)
		}
		if took := time.Since(start); took < 3*time.Minute+5*time.Second || took > 4*time.Minute {
			t.Errorf("it took %v", took)
		}
		server.CloseNow(nil)
	})
}
