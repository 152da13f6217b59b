package stream_test

import (
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/section"
)

func TestMain(m *testing.M) { conformance.Main(m) }

// conformance counts the cases of the conformance suite, by the sections of RFC
// 6455 that a connection can meet once the opening handshake is done.
var conformance = section.New("RFC 6455", map[string]string{
	"5.1":   "Overview: who masks",
	"5.2":   "Base Framing Protocol",
	"5.3":   "Client-to-Server Masking",
	"5.4":   "Fragmentation",
	"5.5":   "Control Frames",
	"5.5.1": "Close",
	"5.5.2": "Ping",
	"5.5.3": "Pong",
	"5.6":   "Data Frames",
	"5.7":   "Examples",
	"5.8":   "Extensibility",
	"6.1":   "Sending Data",
	"6.2":   "Receiving Data",
	"7.1.1": "Close the WebSocket Connection",
	"7.1.2": "Start the WebSocket Closing Handshake",
	"7.1.3": "The WebSocket Closing Handshake is Started",
	"7.1.4": "The WebSocket Connection is Closed",
	"7.1.5": "The WebSocket Connection Close Code",
	"7.1.6": "The WebSocket Connection Close Reason",
	"7.1.7": "Fail the WebSocket Connection",
	"7.2":   "Abnormal Closures",
	"7.3":   "Normal Closure of Connections",
	"7.4.1": "Defined Status Codes",
	"7.4.2": "Reserved Status Code Ranges",
	"8.1":   "Handling of Errors in UTF-8-Encoded Data",
})

// rule runs one case of a section in a bubble of its own, where waiting costs
// no time and where everything must have ended with the test.
func rule(t *testing.T, section, name string, test func(t *testing.T)) {
	t.Helper()
	conformance.Rule(t, section, name, test)
}

// bubble runs a subtest in a bubble of its own.
func bubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}
