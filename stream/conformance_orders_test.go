package stream_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
)

// A run of the closing handshake: what happened to a connection, in order.
type handshake struct {
	p      *script.Peer
	app    *taker
	cancel context.CancelFunc
	resume []func()
}

// closingEvents are what can happen around a closing handshake. Each happens
// at most once.
var closingEvents = map[string]func(h *handshake){
	"we close":     func(h *handshake) { h.p.Conn.Close(1000, "ours") },
	"peer closes":  func(h *handshake) { h.p.Sends(script.Close(4001, "theirs")) },
	"data":         func(h *handshake) { h.p.Sends(script.Text("data")) },
	"breach":       func(h *handshake) { h.p.Sends(script.Of(3, "")) },
	"cut":          func(h *handshake) { h.p.Cuts() },
	"peer is deaf": func(h *handshake) { h.p.StopsReading() },
	"we send":      func(h *handshake) { go h.p.Conn.SendBinary(ctx, make([]byte, 200000)) },
	"pause":        func(h *handshake) { h.resume = append(h.resume, h.p.Conn.Pause()) },
	"cancel":       func(h *handshake) { h.cancel() },
	"CloseNow":     func(h *handshake) { h.p.Conn.CloseNow(errTest) },
}

// orders calls f with each sequence of at most n different events.
func orders(events []string, n int, f func([]string)) {
	var extend func(so []string)
	extend = func(so []string) {
		if len(so) > 0 {
			f(slices.Clone(so))
		}
		if len(so) == n {
			return
		}
		for _, e := range events {
			if !slices.Contains(so, e) {
				extend(append(so, e))
			}
		}
	}
	extend(nil)
}

// Whatever happens in whatever order, a connection ends once, and with what the
// peer's bytes and this side's calls make of it.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.1.3
func TestSection7_1_3AllOrders(t *testing.T) {
	var events []string
	for e := range closingEvents {
		events = append(events, e)
	}
	slices.Sort(events)
	for _, s := range sides {
		for _, settled := range []bool{true, false} {
			name := "7.1.3 all orders/" + s.name
			if !settled {
				name += ", at the same time"
			}
			t.Run(name, func(t *testing.T) {
				orders(events, 3, func(order []string) {
					failed := t.Failed()
					synctest.Test(t, func(t *testing.T) { runOrder(t, s, order, settled) })
					conformance.Count("7.1.3", !failed && t.Failed())
				})
			})
		}
	}
}

// runOrder lets the events happen. If settled, the connection has dealt with
// each before the next one happens.
func runOrder(t *testing.T, s side, order []string, settled bool) {
	h := &handshake{p: s.start(t, nil)}
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	h.cancel, h.app = cancel, takeAllIn(inner, h.p.Conn)
	ends := 0
	h.p.Conn.Result().Then(func(result.Status) { ends++ }, func(error) { ends++ })
	for _, e := range order {
		if settled {
			time.Sleep(time.Second) // the look-ahead's delay is over by then
		}
		closingEvents[e](h)
	}
	time.Sleep(time.Minute)
	for _, resume := range h.resume {
		resume()
	}
	h.p.Cuts()
	messages := h.ends(t)
	got := status(t, h.p.Conn)
	synctest.Wait()
	if ends != 1 {
		t.Errorf("%q: ended %d times", order, ends)
	}
	if why := judge(order, settled, got); why != "" {
		t.Errorf("%q: %s; the status is %+v", order, why, got)
	}
	if want := dataBefore(order); !slices.Contains(order, "CloseNow") && messages != want {
		t.Errorf("%q: %d messages came, want %d", order, messages, want)
	}
}

// ends waits until all messages were taken, by a second loop where the first
// one was cancelled, and returns how many came.
func (h *handshake) ends(t *testing.T) int {
	t.Helper()
	within(t, "the end of All's loop", h.app.done)
	n := len(h.app.messages)
	if !errors.Is(h.app.err, context.Canceled) {
		return n
	}
	again := takeAll(h.p.Conn)
	within(t, "the end of the second loop", again.done)
	return n + len(again.messages)
}

// first returns the first of the events in the order, "" if none happened.
func first(order []string, events ...string) string {
	i := slices.IndexFunc(order, func(e string) bool { return slices.Contains(events, e) })
	if i < 0 {
		return ""
	}
	return order[i]
}

// dataBefore returns how many messages came before what ended the stream.
func dataBefore(order []string) int {
	if first(order, "data", "peer closes", "breach", "cut") == "data" {
		return 1
	}
	return 0
}

// judge returns what is wrong with the status after the events, or "".
func judge(order []string, settled bool, got result.Status) string {
	var closed *result.CloseError
	var failed *result.ConnectionFailed
	isClosed, isFailed := errors.As(got.Err, &closed), errors.As(got.Err, &failed)
	switch {
	case isClosed == isFailed:
		return "the error is not one of CloseError and ConnectionFailed"
	case isClosed && (got.Code != 4001 || got.Received != 4001 || got.Reason != "theirs" || !slices.Contains(order, "peer closes")):
		return "a CloseError without the peer's Close"
	case isFailed && (got.Code != 1006 || got.Received != 0 || got.Reason != "" || got.ByPeer):
		return "a ConnectionFailed with a Close of the peer's"
	case !slices.Contains(order, "we close") && got.Sent == 1000:
		return "a Close that nobody asked for"
	}
	if slices.Contains(order, "CloseNow") {
		return ""
	}
	switch by := first(order, "peer closes", "breach", "cut"); {
	case by == "peer closes" && !isClosed:
		return "the peer's Close is lost"
	case by != "peer closes" && isClosed:
		return "the peer's Close came too late"
	case by == "breach" && !strings.Contains(got.Err.Error(), "protocol error") && first(order, "pause", "cancel", "we close") == "":
		return "the breach is not reported"
	case by == "peer closes" && settled && got.ByPeer == (first(order, "we close", "peer closes") == "we close") && first(order, "peer is deaf") == "":
		return "ByPeer is wrong"
	}
	return ""
}
