package streamtest_test

import (
	"testing"

	"github.com/wsflow/wsflow/deflate"
	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/stream"
	"github.com/wsflow/wsflow/stream/streamtest"
)

func TestHeartbeat(t *testing.T) {
	op := heartbeat.New(nil)
	streamtest.Run(t, func() (client, server stream.Operator) { return op, op })
}

// TestOperators runs the operators of this module, alone and together.
func TestOperators(t *testing.T) {
	streamtest.Run(t, beating, compressing(t, nil))
}

// TestOtherSetups runs permessage-deflate with parameters of other kinds.
func TestOtherSetups(t *testing.T) {
	for name, setup := range map[string]deflate.Setup{
		"no takeover":   {LocalContextMode: deflate.NoTakeover, PeerContextMode: deflate.NoTakeover},
		"small windows": {LocalMaxWindowBits: 9, PeerMaxWindowBits: 9},
	} {
		t.Run(name, func(t *testing.T) {
			streamtest.Run(t, compressing(t, &deflate.Options{Setups: []deflate.Setup{setup}, Threshold: -1}))
		})
	}
}

// beating is a heartbeat on both sides.
func beating() (client, server stream.Operator) {
	op := heartbeat.New(nil)
	return op, op
}

// compressing returns permessage-deflate as both sides have it after they
// agreed.
func compressing(t *testing.T, opts *deflate.Options) streamtest.Pair {
	offering := deflate.New(opts)
	server, answer, ok, err := deflate.New(nil).Negotiate(offering.Offers()...)
	if err != nil || !ok {
		t.Fatalf("the server does not take %q: %v", offering.Offers(), err)
	}
	client, err := offering.Accept(answer)
	if err != nil {
		t.Fatalf("the client does not take %q: %v", answer, err)
	}
	return func() (stream.Operator, stream.Operator) { return client, server }
}
