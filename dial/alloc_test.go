//go:build !race

// Under the race detector pools forget on purpose, which shows as allocations.

package dial

import (
	"bytes"
	"context"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// An agreeable is a connection to a server that agrees as soon as it is asked. It
// allocates little, and needs no goroutine.
type agreeable struct {
	net.Conn
	answer []byte
}

func (a *agreeable) Write(p []byte) (int, error) {
	_, key, _ := bytes.Cut(p, []byte("Sec-WebSocket-Key: "))
	key, _, _ = bytes.Cut(key, []byte("\r\n"))
	a.answer = []byte(strings.Replace(good, "{accept}", acceptOf(string(key)), 1) + "\r\n")
	return len(p), nil
}

func (a *agreeable) Read(p []byte) (int, error) {
	if len(a.answer) == 0 {
		return 0, io.EOF
	}
	n := copy(p, a.answer)
	a.answer = a.answer[n:]
	return n, nil
}

func (*agreeable) Close() error                     { return nil }
func (*agreeable) SetDeadline(time.Time) error      { return nil }
func (*agreeable) SetReadDeadline(time.Time) error  { return nil }
func (*agreeable) SetWriteDeadline(time.Time) error { return nil }

// What a dial and the end of its connection cost is 118 allocations of 11.5 KB,
// most of them net/http's and the library's.
func TestDialAllocatesLittle(t *testing.T) {
	const dials, mostAllocations, mostBytes = 200, 125, 12_500
	opts := &Options{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return &agreeable{}, nil
	}}
	dial := func() {
		conn, err := Dial(t.Context(), "ws://127.0.0.1/", opts)
		if err != nil {
			t.Fatal(err)
		}
		conn.CloseNow(nil)
	}
	dial() // what is made once
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range dials {
		dial()
	}
	runtime.ReadMemStats(&after)
	allocations := (after.Mallocs - before.Mallocs) / dials
	size := (after.TotalAlloc - before.TotalAlloc) / dials
	t.Logf("a dial makes %d allocations of %d bytes", allocations, size)
	if allocations > mostAllocations || size > mostBytes {
		t.Errorf("a dial makes %d allocations of %d bytes, want %d of %d at most", allocations, size, mostAllocations, mostBytes)
	}
}
