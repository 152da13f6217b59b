package dial

import (
	"testing"

	"github.com/wsflow/wsflow/internal/section"
)

func TestMain(m *testing.M) { conformance.Main(m) }

// conformance counts the cases of the conformance suite, by the sections of RFC
// 6455 that the opening handshake meets.
var conformance = section.New("RFC 6455", map[string]string{
	"3":   "WebSocket URIs",
	"4.1": "Client Requirements",
	"9.1": "Negotiating Extensions",
})
