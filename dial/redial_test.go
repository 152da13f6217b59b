package dial

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/redial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A server that is busy says when to come back, in seconds or by a date. No client
// comes earlier, nor much later.
func TestRedialObeysRetryAfter(t *testing.T) {
	for name, field := range map[string]func() string{
		"seconds": func() string { return "7" },
		"date":    func() string { return time.Now().Add(7 * time.Second).UTC().Format(http.TimeFormat) },
	} {
		for _, status := range []string{"503 Service Unavailable", "429 Too Many Requests"} {
			t.Run(name+", "+status[:3], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var dials []time.Time
					refuse := answers(func(*http.Request) string {
						dials = append(dials, time.Now())
						return fmt.Sprintf("HTTP/1.1 %s\r\nDate: %s\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n",
							status, time.Now().UTC().Format(http.TimeFormat), field())
					})
					src := Redial(t.Context(), "ws://a.test/", &Options{DialContext: pipes(t, refuse)}, &redial.Options{
						Retry: redial.Backoff(time.Second, time.Second),
					})
					time.Sleep(time.Minute)
					src.CloseNow(nil)
					synctest.Wait()
					for i := 1; i < len(dials); i++ {
						if wait := dials[i].Sub(dials[i-1]); wait < 7*time.Second || wait > 8*time.Second {
							t.Errorf("it came back after %v", wait)
						}
					}
					if n := len(dials); n < 7 || n > 9 {
						t.Errorf("it came %d times within a minute", n)
					}
				})
			})
		}
	}
}

// A refusal for good ends the source at once, and is in its error.
func TestRedialGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuse := answers(func(*http.Request) string { return "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n" })
		src := Redial(t.Context(), "ws://a.test/", &Options{DialContext: pipes(t, refuse)}, nil)
		_, err := src.Result().Wait(t.Context())
		var gaveUp *redial.Error
		var refused *HandshakeError
		if !errors.As(err, &gaveUp) || gaveUp.Attempts != 1 || !errors.As(err, &refused) || refused.StatusCode != 403 {
			t.Errorf("it ended with %v", err)
		}
	})
}

// What Dial refuses ends the source, without any I/O.
func TestRedialArguments(t *testing.T) {
	touched := func(context.Context, string, string) (net.Conn, error) {
		t.Error("it dialed")
		return nil, net.ErrClosed
	}
	var nobody context.Context
	always := func(int, error) (time.Duration, bool) { return 0, true }
	for name, src := range map[string]*redial.Source{
		"ctx of redial.New":         Redial(nobody, "ws://a.test", &Options{DialContext: touched}, nil),
		"dial: url":                 Redial(t.Context(), "nonsense", &Options{DialContext: touched}, &redial.Options{Retry: always}),
		"dial.Options.CloseTimeout": Redial(t.Context(), "ws://a.test", &Options{DialContext: touched, CloseTimeout: -1}, &redial.Options{Retry: always}),
		"redial.Options.Stable":     Redial(t.Context(), "ws://a.test", &Options{DialContext: touched}, &redial.Options{Stable: -1}),
	} {
		_, err := src.Result().Wait(t.Context())
		var argument *result.ArgumentError
		if !errors.As(err, &argument) || argument.Name != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A peer that is silent is given up after 30 s, unless the program names operators.
func TestRedialHeartbeat(t *testing.T) {
	mute := func(c net.Conn, br *bufio.Reader) {
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		io.WriteString(c, agree(req))
		io.Copy(io.Discard, br)
	}
	dialed := func(t *testing.T, opts Options) *stream.Conn {
		opts.DialContext = pipes(t, mute)
		src := Redial(t.Context(), "ws://a.test/", &opts, nil)
		t.Cleanup(func() { src.CloseNow(nil) })
		conn, err := src.Ready(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		go func() { // ends with the source
			for range src.All(context.Background()) {
			}
		}()
		return conn
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		conn := dialed(t, Options{})
		<-conn.Done()
		if took := time.Since(start); took < 30*time.Second || took > 40*time.Second {
			t.Errorf("the peer was given up after %v", took)
		}
		conn = dialed(t, Options{Operators: none})
		if _, ok := heartbeat.Of(conn); ok {
			t.Error("there is a heartbeat although none was named")
		}
	})
}

// The logger and the post function of the dial are the source's too.
func TestRedialShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, lines := observer.New(zap.WarnLevel)
		posted := 0
		refuse := answers(func(*http.Request) string { return "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n" })
		src := Redial(t.Context(), "ws://a.test/", &Options{
			DialContext: pipes(t, refuse), Logger: zap.New(core),
			Post: func(f func()) { posted++; f() },
		}, nil)
		src.Result().Then(nil, func(error) {})
		time.Sleep(time.Second)
		src.CloseNow(nil)
		synctest.Wait()
		if lines.Len() == 0 || posted != 1 {
			t.Errorf("%d lines were logged, %d functions posted", lines.Len(), posted)
		}
	})
}
