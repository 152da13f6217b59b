package interop

import "testing"

// features are what is tried with each peer, in the order of the page.
var features = []struct {
	name string
	test func(*testing.T, *running)
}{
	{"text", echoes(textMessages)},
	{"binary", echoes(binaryMessages)},
	{"empty", echoes(emptyMessages)},
	{"fragments", echoesFragments},
	{"large", echoesLarge},
	{"no deflate", notAgreed},
	{"deflate contexts", compresses},
	{"deflate windows", compressesInWindows},
	{"subprotocol", choosesSubprotocol},
	{"our Ping", answersPings},
	{"its Ping", pingsUs},
	{"slow consumer", outlivesBurst},
	{"our Close", isClosed},
	{"its Close", closes},
	{"cut", dies("cut")},
	{"reset", dies("reset")},
}

var peers = []peer{
	{
		name:     "coder/websocket",
		start:    startLibrary("github.com/coder/websocket", coderServer),
		contexts: []setting{standard, {serverNoContext: true, clientNoContext: true}},
		answers:  coderAnswers,
		notes:    coderNotes,
		replies:  echoesClose,
	},
	{
		name:     "gorilla/websocket",
		start:    startLibrary("github.com/gorilla/websocket", gorillaServer),
		contexts: []setting{standard},
		answers:  gorillaAnswers,
		notes:    gorillaNotes,
		replies:  echoesCode,
	},
	{
		name:             "lxzan/gws",
		start:            startLibrary("github.com/lxzan/gws", gwsServer),
		contexts:         contextSettings,
		windows:          windowSettings(8),
		answers:          gwsAnswers,
		notes:            gwsNotes,
		replies:          echoesPrivateCode,
		cannotClose:      withoutCode,
		needsSubprotocol: true,
	},
	{
		name: "ws (Node.js)",
		start: program{
			command: []string{"node", "node/server.js"},
			check:   []string{"node", "-e", "require('./node/node_modules/ws')"},
		}.start,
		contexts: contextSettings,
		windows:  windowSettings(8),
		answers:  wsAnswers,
		notes:    wsNotes,
		replies:  echoesClose,
	},
	{
		name: "websockets (Python)",
		start: program{
			command: []string{"/usr/bin/python3", "-B", "python/websockets_server.py"},
			check:   []string{"/usr/bin/python3", "-c", "import websockets"},
		}.start,
		contexts:    contextSettings,
		windows:     windowSettings(8),
		answers:     websocketsAnswers,
		notes:       websocketsNotes,
		replies:     echoesClose,
		cannotClose: withoutCode,
	},
	{
		name: "Autobahn (Python)",
		start: program{
			command: []string{"/usr/bin/python3", "-B", "python/autobahn_server.py"},
			check:   []string{"/usr/bin/python3", "-c", "import autobahn.twisted.websocket"},
		}.start,
		contexts: contextSettings,
		windows:  windowSettings(9), // it cannot be set up with 8
		answers:  autobahnAnswers,
		notes:    autobahnNotes,
		replies:  func(ending) ending { return ending{code: 1000} },
		// "invalid close code (must be 1000 or from [3000, 4999])"
		cannotClose: func(e ending) bool { return e.code > 1000 && e.code < 3000 && e.code != 1005 },
	},
	{
		name: "aiohttp (Python)",
		start: program{
			command: []string{"/usr/bin/python3", "-B", "python/aiohttp_server.py"},
			check:   []string{"/usr/bin/python3", "-c", "import aiohttp"},
		}.start,
		contexts:    []setting{standard},
		answers:     aiohttpAnswers,
		notes:       aiohttpNotes,
		replies:     func(ending) ending { return ending{code: 1000} },
		cannotClose: withoutCode,
	},
	{
		name: "Tornado (Python)",
		start: program{
			command: []string{"/usr/bin/python3", "-B", "python/tornado_server.py"},
			check:   []string{"/usr/bin/python3", "-c", "import tornado.websocket"},
		}.start,
		contexts: []setting{standard},
		answers:  tornadoAnswers,
		notes:    tornadoNotes,
		replies:  echoesCode,
	},
	{
		name: "Mojolicious (Perl)",
		start: program{
			command: []string{"/usr/bin/perl", "perl/mojolicious_server.pl"},
			check:   []string{"/usr/bin/perl", "-e", "use Mojolicious"},
		}.start,
		contexts: []setting{standard},
		answers:  mojoliciousAnswers,
		notes:    mojoliciousNotes,
		replies:  echoesClose,
	},
}

func withoutCode(e ending) bool { return e.code == 1005 }

// echoesPrivateCode answers the protocol's own codes with 1000.
func echoesPrivateCode(e ending) ending {
	switch {
	case e.code == 1005:
		return e
	case e.code < 3000:
		return ending{code: 1000}
	}
	return ending{code: e.code}
}

func init() {
	peers = append(peers,
		behind("nginx", nginx, false, peers[0]),
		behind("nginx, TLS", nginx, true, peers[0]),
		behind("HAProxy", haproxy, false, peers[0]),
		behind("HAProxy, TLS", haproxy, true, peers[0]),
	)
}

func TestPeers(t *testing.T) {
	rows := make([]row, len(peers)) // each written by its peer's test, in the order of the page
	t.Cleanup(func() {              // when all peers were tried
		for _, r := range rows {
			if r.peer != "" {
				found.rows = append(found.rows, r)
			}
		}
		checkPage(t)
	})
	for i, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel() // much of it waits for the peer
			r := &running{server: p.start(t, p.settings()), peer: p}
			rows[i] = r.scores(t)
		})
	}
}

// scores tries each feature.
func (r *running) scores(t *testing.T) row {
	scores := row{peer: r.peer.name, version: r.version, cells: map[string]string{}, notes: r.peer.notes}
	for _, f := range features {
		tried := false
		passed := t.Run(f.name, func(t *testing.T) {
			tried = true
			f.test(t, r)
		})
		if tried {
			scores.score(f.name, passed)
		}
	}
	return scores
}
