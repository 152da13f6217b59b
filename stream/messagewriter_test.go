package stream_test

import (
	"strings"
	"testing"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// A message goes out in fragments of 16 KiB, however it is written.
func TestWriterGathersFragments(t *testing.T) {
	for name, each := range map[string]int{"at once": 40_000, "byte by byte": 1, "in odd pieces": 777} {
		bubble(t, name, func(t *testing.T) {
			p := script.Server(t, nil)
			w, err := p.Conn.Writer(ctx, stream.Text)
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Repeat("0123456789", 4000)
			go func() {
				for rest := all; len(rest) > 0; {
					n, err := w.Write([]byte(rest[:min(each, len(rest))]))
					if err != nil {
						t.Error(err)
						return
					}
					rest = rest[n:]
				}
				if err := w.Close(); err != nil {
					t.Error(err)
				}
			}()
			got := ""
			for i, want := range []int{16 << 10, 16 << 10, 40_000 - 32<<10} {
				f := p.Next("a fragment")
				if len(f.Payload) != want || f.Fin != (i == 2) {
					t.Errorf("fragment %d has %d bytes, Fin %t; want %d", i, len(f.Payload), f.Fin, want)
				}
				got += string(f.Payload)
			}
			if got != all {
				t.Error("the fragments are not what was written")
			}
		})
	}
}

// Text that is not UTF-8 is refused where it goes wrong. If nothing of it was sent the
// connection goes on.
func TestWriterOfBadText(t *testing.T) {
	for name, test := range map[string]struct{ write, end string }{
		"a bad byte":          {"text message is not valid UTF-8: allowed is UTF-8", ""},
		"half of a character": {"", "text message is not complete: it ends within a character: allowed is UTF-8"},
	} {
		bubble(t, name, func(t *testing.T) {
			p := script.Server(t, nil)
			w, err := p.Conn.Writer(ctx, stream.Text)
			if err != nil {
				t.Fatal(err)
			}
			data := "ok \xff"
			if test.write == "" {
				data = "ok \xe2\x82"
			}
			_, err = w.Write([]byte(data))
			says(t, "Write", err, test.write)
			if test.write == "" {
				says(t, "Close", w.Close(), test.end)
			} else {
				says(t, "Close", w.Close(), test.write)
			}
			_, err = w.Write([]byte("more"))
			says(t, "Write after Close", err, "wsflow: write to a Writer that was closed")
			says(t, "a second Close", w.Close(), "wsflow: write to a Writer that was closed")
			if err := p.Conn.SendText(ctx, "next"); err != nil {
				t.Error(err)
			}
			if f := p.Next("the next message"); string(f.Payload) != "next" {
				t.Errorf("%q was sent", f.Payload)
			}
		})
	}
}

// says checks the text of an error; "" is none.
func says(t *testing.T, what string, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("%s: the error is %q, want %q", what, got, want)
	}
}
