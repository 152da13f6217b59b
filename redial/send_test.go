package redial_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/redial"
	"github.com/wsflow/wsflow/stream"
)

// Send waits for the first connection, and in a gap returns ErrGap at once.
func TestSend(t *testing.T) {
	bubble(t, "send", func(t *testing.T) {
		server := newServer(t)
		server.fails(errNobody)
		src := redial.New(ctx, server.dial, &redial.Options{Retry: at})
		defer src.CloseNow(nil)
		short, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		want(t, "Send with nobody there", src.SendText(short, "lost"), context.DeadlineExceeded)
		_, err := src.Ready(short)
		want(t, "Ready with nobody there", err, context.DeadlineExceeded)

		sent := make(chan error)
		go func() { sent <- src.SendText(ctx, "first") }() // ends with the first connection
		time.Sleep(time.Minute)
		server.fails(nil)
		want(t, "Send before the first connection", <-sent, nil)
		p := <-server.peers
		p.Wants("what waited", script.Text("first"))
		want(t, "SendBinary", src.SendBinary(ctx, []byte("second")), nil)
		p.Wants("what was sent", script.Binary("second"))

		server.fails(errNobody)
		p.Sends(script.Text("backlog"))
		p.Cuts()
		time.Sleep(time.Minute)
		want(t, "Send while the lost connection's messages wait", src.SendText(ctx, "late"), redial.ErrGap)
		wantMessage(t, src, "backlog", 1)
		wantGap(t, src, 1, 0)
		start := time.Now()
		want(t, "Send in a gap", src.SendText(ctx, "late"), redial.ErrGap)
		want(t, "the time it took", time.Since(start), 0)
		want(t, "Conn in a gap", src.Conn(), nil)
		server.fails(nil)
		conn, err := src.Ready(ctx)
		if err != nil || conn != src.Conn() {
			t.Errorf("Ready returns %v, %v", conn, err)
		}
		want(t, "Send", src.SendText(ctx, "third"), nil)
		(<-server.peers).Wants("the first that is sent on the second connection", script.Text("third"))
	})
}

// In a Notice that a gap has ended, a loop body may send.
func TestSendInNotice(t *testing.T) {
	bubble(t, "notice", func(t *testing.T) {
		server := newServer(t)
		src := redial.New(ctx, server.dial, &redial.Options{Retry: at})
		defer src.CloseNow(nil)
		(<-server.peers).Cuts()
		wantGap(t, src, 1, 0)
		for m, err := range src.All(ctx) {
			if err != nil || m.Gap() == nil || m.Gap().To != 2 {
				t.Fatalf("%v, %v came", m, err)
			}
			want(t, "Send", src.SendText(ctx, "snapshot, please"), nil)
			break
		}
		(<-server.peers).Wants("what the body sent", script.Text("snapshot, please"))
	})
}

// A loop body that answers each message of a backlog of 1 MiB while the connection is
// gone gets an error for each, and the next connection is made.
func TestSendInBacklog(t *testing.T) {
	bubble(t, "backlog", func(t *testing.T) {
		const n, size = 255, 4 << 10 // as much as the look-ahead holds
		server := newServer(t)
		src := redial.New(ctx, server.dial, &redial.Options{Retry: at})
		defer src.CloseNow(nil)
		p := <-server.peers
		for range n {
			p.Sends(script.Binary(strings.Repeat("x", size)))
		}
		p.Cuts()
		synctest.Wait()
		messages, refused := 0, 0
		for m, err := range src.All(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			if gap := m.Gap(); gap != nil {
				if gap.To == 2 {
					break
				}
				continue
			}
			if messages++; messages == 1 {
				time.Sleep(time.Minute) // the cut is seen ahead
			}
			err := src.SendText(ctx, "answer")
			if err != nil && !errors.Is(err, redial.ErrGap) {
				t.Fatal(err)
			}
			if err != nil {
				refused++
			}
		}
		want(t, "messages", messages, n)
		if refused < n-1 {
			t.Errorf("%d answers of %d were refused", refused, n)
		}
	})
}

// Ready does not return a connection that has ended, also while its messages wait.
func TestReadyPassesOverTheDead(t *testing.T) {
	bubble(t, "dead", func(t *testing.T) {
		server := newServer(t)
		src := redial.New(ctx, server.dial, &redial.Options{Retry: at})
		defer src.CloseNow(nil)
		p := <-server.peers
		first, _ := src.Ready(ctx)
		p.Sends(script.Text("one"), script.Text("two"))
		p.Cuts()
		wantMessage(t, src, "one", 1)
		<-first.Done()
		ready := make(chan *stream.Conn)
		go func() { // ends with the next connection
			conn, _ := src.Ready(ctx)
			ready <- conn
		}()
		synctest.Wait()
		wantMessage(t, src, "two", 1)
		wantGap(t, src, 1, 0)
		if conn := <-ready; conn == first || conn != src.Conn() {
			t.Error("Ready returned a connection that had ended")
		}
	})
}
