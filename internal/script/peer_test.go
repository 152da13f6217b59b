package script_test

import (
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair returns two scripts that talk to each other.
func pair(client, server testing.TB) (c, s *script.Peer) {
	a, b := net.Pipe()
	return script.On(client, a, stream.Server), script.On(server, b, stream.Client)
}

func TestScriptsAgree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := pair(t, t)
		frames := []script.Frame{
			script.Text("κόσμε"), script.Ping(""), script.Binary(strings.Repeat("b", 70000)),
			script.Text("a").Open(), script.Pong("p"), script.More(""), script.Last("b"),
		}
		c.Sends(frames...)
		c.SendsIn(1, frames...)
		c.SendsScattered(1, frames...)
		for range 3 {
			for _, f := range frames {
				s.Wants("what was sent", f)
			}
		}
		s.Sends(script.Text("a").Open(), script.More("b"), script.Last("c"), script.Close(4000, "bye"))
		c.WantsMessage("fragments", script.Text("abc"))
		if reason := c.WantsClose(4000); reason != "bye" {
			t.Errorf("reason %q", reason)
		}
		s.Cuts()
		c.WantsEOF()
		c.WantsEOF()
	})
}

func TestStopsReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := pair(t, t)
		s.StopsReading()
		c.Sends(script.Ping("one"))
		s.WantsSilence("while it does not read")
		s.Reads(8)
		s.WantsSilence("with 8 of 9 bytes read")
		s.Reads(1)
		s.Wants("the frame", script.Ping("one"))
		c.Sends(script.Ping("two"))
		s.WantsSilence("while it does not read")
		s.ReadsOn()
		s.Wants("the second frame", script.Ping("two"))
		c.Sent()
	})
}

// A failing is a test that may fail.
type failing struct {
	testing.TB
	mu       sync.Mutex
	said     string
	cleanups []func()
}

func (f *failing) Helper()           {}
func (f *failing) Cleanup(do func()) { f.cleanups = append(f.cleanups, do) }

func (f *failing) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.said += fmt.Sprintf(format, args...) + "\n"
}

func (f *failing) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	runtime.Goexit()
}

// run returns what the test complains of.
func (f *failing) run(test func()) string {
	done := make(chan struct{})
	go func() {
		defer close(done)
		test()
	}()
	<-done
	for _, do := range f.cleanups {
		do()
	}
	return f.said
}

// An unmet want fails the test and shows the bytes.
func TestWantsFail(t *testing.T) {
	tests := []struct {
		name  string
		sends []script.Frame
		cuts  bool
		wants func(p *script.Peer)
		says  string
	}{
		{"another payload", []script.Frame{script.Ping("a")}, false,
			func(p *script.Peer) { p.Wants("why", script.Ping("b")) }, "why:\nwanted ping of 1 bytes [62] \"b\"\ncame   ping of 1 bytes [61] \"a\", header [89 81], key"},
		{"another opcode", []script.Frame{script.Ping("a")}, false,
			func(p *script.Peer) { p.Wants("why", script.Pong("a")) }, "came   ping"},
		{"another FIN", []script.Frame{script.Text("a")}, false,
			func(p *script.Peer) { p.Wants("why", script.Text("a").Open()) }, "came   text"},
		{"nothing", nil, false,
			func(p *script.Peer) { p.Wants("why", script.Ping("")) }, "nothing came for 1m0s"},
		{"the end", nil, true,
			func(p *script.Peer) { p.Wants("why", script.Ping("")) }, "the connection ended: EOF"},
		{"no frame at all", nil, false,
			func(p *script.Peer) { p.Next("why") }, "nothing came"},
		{"another code", []script.Frame{script.Close(1001, "")}, false,
			func(p *script.Peer) { p.WantsClose(1000) }, "wanted close 1000\ncame   close of 2 bytes [03 e9]"},
		{"no close", []script.Frame{script.Ping("")}, false,
			func(p *script.Peer) { p.WantsClose(1005) }, "came   ping"},
		{"no code", []script.Frame{script.CloseEmpty()}, false,
			func(p *script.Peer) { p.WantsClose(1000) }, "came   close of 0 bytes"},
		{"a frame, not the end", []script.Frame{script.Ping("")}, false,
			func(p *script.Peer) { p.WantsEOF() }, "came   ping"},
		{"no end", nil, false,
			func(p *script.Peer) { p.WantsEOF() }, "nothing came"},
		{"an end inside a frame", []script.Frame{script.Ping("abc").First(7)}, true,
			func(p *script.Peer) { p.WantsEOF() }, "ended otherwise: unexpected EOF ping of 3 bytes"},
		{"no silence", []script.Frame{script.Ping("")}, false,
			func(p *script.Peer) { p.WantsSilence("why") }, "why: wanted nothing\ncame   ping"},
		{"an end in silence", nil, true,
			func(p *script.Peer) { p.WantsSilence("why") }, "why: wanted nothing, the connection ended"},
		{"another message", []script.Frame{script.Text("a").Open(), script.Last("c")}, false,
			func(p *script.Peer) { p.WantsMessage("why", script.Text("ab")) }, `came   text of 2 bytes [61 63] "ac"`},
		{"a ping in a message", []script.Frame{script.Text("a").Open(), script.Ping("")}, false,
			func(p *script.Peer) { p.WantsMessage("why", script.Text("ab")) }, "then   ping"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &failing{TB: t}
				c, s := pair(t, f)
				c.Sends(test.sends...)
				if test.cuts {
					c.Cuts()
				}
				if said := f.run(func() { test.wants(s) }); !strings.Contains(said, test.says) {
					t.Errorf("it says:\n%s\nnot: %s", said, test.says)
				}
			})
		})
	}
}

func TestSentFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &failing{TB: t}
		s, c := pair(t, f)
		s.StopsReading()
		c.Sends(script.Ping(""))
		if said := f.run(c.Sent); !strings.Contains(said, "has not read for 1m0s") {
			t.Errorf("it says: %s", said)
		}
	})
}

// What breaks the protocol fails the test, also if nobody wants it.
func TestReferee(t *testing.T) {
	long := strings.Repeat("x", 126)
	tests := []struct {
		name  string
		sends []script.Frame
		says  string // nothing: it is allowed
	}{
		{"all is well", []script.Frame{script.Text("\xce").Open(), script.Ping("\xff"), script.Last("\xba"), script.Binary("\xff"), script.Close(1000, "")}, ""},
		{"an empty close", []script.Frame{script.CloseEmpty()}, ""},
		{"a pong after the close", []script.Frame{script.CloseEmpty(), script.Pong("")}, ""},
		{"data after the close", []script.Frame{script.CloseEmpty(), script.Text("")}, "5.5.1"},
		{"two closes", []script.Frame{script.CloseEmpty(), script.CloseEmpty()}, "5.5.1"},
		{"unmasked", []script.Frame{script.Text("").Unmasked()}, "5.1"},
		{"a reserved bit", []script.Frame{script.Text("").Reserved(1)}, "5.2: RSV1"},
		{"a reserved opcode", []script.Frame{script.Of(3, "")}, "5.2: the opcode"},
		{"16 bits for 125", []script.Frame{script.Text(long[:125]).In16()}, "5.2: \"the minimal"},
		{"64 bits for 126", []script.Frame{script.Text(long).In64()}, "5.2: \"the minimal"},
		{"a long ping", []script.Frame{script.Ping(long)}, "5.5: "},
		{"a fragmented ping", []script.Frame{script.Ping("").Open()}, "5.5: "},
		{"a continuation of nothing", []script.Frame{script.Last("")}, "5.4: "},
		{"a message in a message", []script.Frame{script.Text("").Open(), script.Text("")}, "5.4: "},
		{"text that is not UTF-8", []script.Frame{script.Text("\xff")}, "5.6: "},
		{"text that is not UTF-8 in the end", []script.Frame{script.Text("\xce").Open(), script.Last("")}, "5.6: "},
		{"half a code", []script.Frame{script.Of(script.OpClose, "\x03")}, "5.5.1"},
		{"999", []script.Frame{script.Close(999, "")}, "7.4: the code 999"},
		{"1005", []script.Frame{script.Close(1005, "")}, "7.4: the code 1005"},
		{"1015", []script.Frame{script.Close(1015, "")}, "7.4: the code 1015"},
		{"2999", []script.Frame{script.Close(2999, "")}, "7.4: the code 2999"},
		{"5000", []script.Frame{script.Close(5000, "")}, "7.4: the code 5000"},
		{"4999", []script.Frame{script.Close(4999, "")}, ""},
		{"1014", []script.Frame{script.Close(1014, "")}, ""},
		{"a reason that is not UTF-8", []script.Frame{script.Close(1000, "\xff")}, "5.5.1: the reason"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &failing{TB: t}
				c, s := pair(t, f)
				c.Sends(test.sends...)
				c.Sent()
				said := f.run(s.End)
				if test.says == "" && said != "" || !strings.Contains(said, test.says) {
					t.Errorf("it says: %q, want %q", said, test.says)
				}
			})
		})
	}
}

func TestRefereeForServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &failing{TB: t}
		c, s := pair(f, t)
		c.Allows(2)
		s.Sends(script.Text("\xff").Reserved(2), script.Text("").Masked([4]byte{}))
		s.Sent()
		if said := f.run(c.End); !strings.Contains(said, "5.1") || strings.Contains(said, "RSV1") {
			t.Errorf("it says: %q", said)
		}
	})
}
