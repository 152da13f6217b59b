package deflate_test

import (
	"fmt"

	"github.com/wsflow/wsflow/deflate"
)

// An exact setup is offered first, the default after it.
func ExampleNew() {
	op := deflate.New(&deflate.Options{Setups: []deflate.Setup{
		{LocalContextMode: deflate.NoTakeover, PeerMaxWindowBits: 10},
		{},
	}})
	for _, offer := range op.Offers() {
		fmt.Println(offer)
	}
	// Output:
	// permessage-deflate; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits
	// permessage-deflate; client_max_window_bits
}

// What a server does with a client's offers. The operator goes into the
// stream.Options of the connection, the answer into the handshake.
func ExampleOperator_Negotiate() {
	op := deflate.New(&deflate.Options{Setups: []deflate.Setup{{PeerContextMode: deflate.NoTakeover}}})
	agreed, answer, ok, err := op.Negotiate("permessage-deflate; client_max_window_bits")
	fmt.Println(answer, ok, err)
	fmt.Println(agreed != nil)
	// Output:
	// permessage-deflate; client_no_context_takeover true <nil>
	// true
}

// Options out of range are found before any connection is made.
func ExampleOperator_Validate() {
	op := deflate.New(&deflate.Options{Setups: []deflate.Setup{{LocalMaxWindowBits: 16}}})
	fmt.Println(op.Validate())
	// Output: deflate.Options.Setups[0].LocalMaxWindowBits is 16: allowed is from 8 to 15, or 0 for the default
}
