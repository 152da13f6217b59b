package streamtest

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// opened returns a connection with the operators on both sides.
func opened(t *testing.T, ops ...stream.Operator) *wires {
	t.Helper()
	w, err := open(ops, ops, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.cut)
	return w
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one that says %q", err, want)
	}
}

func TestFate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if err := opened(t).fate(); err != nil {
			t.Errorf("error %v for a connection that nothing else ended", err)
		}
		w := opened(t)
		w.server.CloseNow(errors.New("broken"))
		wantError(t, w.fate(), "server's connection: wsflow: connection failed: broken")
	})
}

func TestEnded(t *testing.T) {
	for _, c := range []struct {
		name   string
		reason string
		byPeer bool
		right  bool
	}{
		{"as expected", parting, true, true},
		{"another reason", "another", true, false},
		{"begun by the other", parting, false, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := opened(t)
			w.client.Close(result.StatusNormalClosure, c.reason)
			if err := ended(t.Context(), w.server, c.byPeer); (err == nil) != c.right {
				t.Errorf("%s: error %v", c.name, err)
			}
		})
	}
}

func TestCountsAgree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := opened(t, counter{})
		if err := w.talk(t.Context(), script(30, twoSizes), script(31, twoSizes)); err != nil {
			t.Fatal(err)
		}
		if err := shake(t.Context(), w.client, w.server, nil); err != nil {
			t.Fatal(err)
		}
		client, _ := stream.OperatorState[*counts](w.client)
		server, _ := stream.OperatorState[*counts](w.server)
		if n := len(script(30, twoSizes)); client.out.messages != n || client.in.messages != n {
			t.Errorf("%d and %d messages were counted, want %d", client.out.messages, client.in.messages, n)
		}
		if err := countsAgree(w); err != nil {
			t.Error(err)
		}
		client.in.bytes++
		wantError(t, countsAgree(w), "from the server")
		server.in.bytes++
		wantError(t, countsAgree(w), "from the client")
	})
}

func TestInjectionsArrived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := opened(t, injector{})
		if err := w.talk(t.Context(), script(30, twoSizes), script(31, twoSizes)); err != nil {
			t.Fatal(err)
		}
		if err := shake(t.Context(), w.client, w.server, nil); err != nil {
			t.Fatal(err)
		}
		client, _ := stream.OperatorState[*injections](w.client)
		server, _ := stream.OperatorState[*injections](w.server)
		if n := len(script(30, twoSizes)); client.sent != n || client.came != n {
			t.Errorf("%d were sent, %d came, want %d", client.sent, client.came, n)
		}
		if err := injectionsArrived(w); err != nil {
			t.Error(err)
		}
		client.came++
		wantError(t, injectionsArrived(w), "from the server")
		server.came++
		wantError(t, injectionsArrived(w), "from the client")
	})
}

func TestInjectionIsRead(t *testing.T) {
	var i injections
	for _, p := range []string{"injected message 0", "any", "injected message 2", "any"} {
		i.inbound(stream.Frame{Type: stream.Text, First: true, Last: true, Payload: []byte(p)})
	}
	wantError(t, (&injections{sent: 2}).arrived(&i), `"injected message 2" came, not "injected message 1"`)
}

func TestPongsAreRead(t *testing.T) {
	p := pings{sent: 3}
	for _, text := range []string{"ping 1 of the kit", "another operator's", "ping 3 of the kit"} {
		p.control(stream.Frame{Type: stream.Pong, Payload: []byte(text)})
	}
	if err := p.answered(); err != nil || p.answers != 2 || p.last != 3 {
		t.Errorf("error %v, %d answers, the last to Ping %d", err, p.answers, p.last)
	}
	p.control(stream.Frame{Type: stream.Pong, Payload: []byte("ping 2 of the kit")})
	wantError(t, p.answered(), "Ping 2 came after that to Ping 3")
}

func TestCount(t *testing.T) {
	const text, binary = stream.Text, stream.Binary
	for _, c := range []struct {
		name   string
		pieces []stream.Frame
		want   string // in the error; none: the order is right
	}{
		{"whole messages", []stream.Frame{{Type: text, First: true, Last: true}, {Type: binary, First: true, Last: true}}, ""},
		{"three pieces", []stream.Frame{{Type: text, First: true}, {Type: text}, {Type: text, Last: true}}, ""},
		{"no first piece", []stream.Frame{{Type: text, Last: true}}, "First false"},
		{"two first pieces", []stream.Frame{{Type: text, First: true}, {Type: text, First: true}}, "First true"},
		{"two types", []stream.Frame{{Type: text, First: true}, {Type: binary, Last: true}}, "is binary"},
		{"two faults", []stream.Frame{{Type: text}, {Type: text, First: true, Last: true}}, "First false"},
	} {
		var n count
		for _, f := range c.pieces {
			n.add(f)
		}
		for _, err := range []error{agree(n, count{}), agree(count{}, n)} {
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) || c.want == "" && n.err != nil {
				t.Errorf("%s: error %v, want one that says %q", c.name, err, c.want)
			}
		}
	}
}

func TestAgree(t *testing.T) {
	of := func(parts ...string) (n count) {
		for _, p := range parts {
			n.add(stream.Frame{Type: stream.Text, First: true, Last: true, Payload: []byte(p)})
		}
		return n
	}
	if err := agree(of("ab", "c"), of("ab", "c")); err != nil {
		t.Error(err)
	}
	for _, other := range []count{of("ab"), of("ab", "d"), of("a", "bc"), of("ab", "c", "")} {
		if agree(of("ab", "c"), other) == nil {
			t.Errorf("%+v passes for %+v", other, of("ab", "c"))
		}
	}
}

func TestArrived(t *testing.T) {
	for _, c := range []struct {
		name       string
		sent, came injections
		right      bool
	}{
		{"as many", injections{sent: 3}, injections{came: 3}, true},
		{"too few", injections{sent: 3}, injections{came: 2}, false},
		{"a wrong one", injections{sent: 3}, injections{came: 3, err: errCut}, false},
	} {
		if err := c.sent.arrived(&c.came); (err == nil) != c.right {
			t.Errorf("%s: error %v", c.name, err)
		}
	}
}

func TestAnswered(t *testing.T) {
	for _, c := range []struct {
		name  string
		pings pings
		right bool
	}{
		{"all", pings{sent: 3, answers: 3, last: 3}, true},
		{"the last", pings{sent: 3, answers: 1, last: 3}, true},
		{"none", pings{sent: 3}, false},
		{"one that was not sent", pings{sent: 3, answers: 1, last: 4}, false},
		{"in disorder", pings{sent: 3, answers: 2, last: 3, err: errCut}, false},
	} {
		if err := c.pings.answered(); (err == nil) != c.right {
			t.Errorf("%s: error %v", c.name, err)
		}
	}
}
