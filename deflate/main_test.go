package deflate

import (
	"testing"

	"github.com/wsflow/wsflow/internal/section"
)

func TestMain(m *testing.M) { conformance.Main(m) }

// conformance counts the cases of the conformance suite, by the sections of RFC
// 7692 that ask something of an endpoint.
var conformance = section.New("RFC 7692", map[string]string{
	"5.1":     "General Negotiation Flow",
	"5.2":     "Negotiation Examples",
	"6":       "Framing",
	"6.1":     "Compression",
	"6.2":     "Decompression",
	"7.1":     "Extension Parameters",
	"7.1.1.1": "server_no_context_takeover",
	"7.1.1.2": "client_no_context_takeover",
	"7.1.2.1": "server_max_window_bits",
	"7.1.2.2": "client_max_window_bits",
	"7.1.3":   "Examples of Parameters",
	"7.2.1":   "Compression of the Payload",
	"7.2.2":   "Decompression of the Payload",
	"7.2.3.1": "A Message Compressed Using One Compressed DEFLATE Block",
	"7.2.3.2": "Sharing LZ77 Sliding Window",
	"7.2.3.3": "Using a DEFLATE Block with No Compression",
	"7.2.3.4": `Using a DEFLATE Block with "BFINAL" Set to 1`,
	"7.2.3.5": "Two DEFLATE Blocks in One Message",
	"7.2.3.6": "Generating an Empty Fragment",
	"8":       "Security Considerations",
})
