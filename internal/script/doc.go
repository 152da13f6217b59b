// Package script is a WebSocket peer for tests that does what the test tells
// it, byte by byte:
//
//	p := script.Client(t, nil)
//	p.Sends(script.Ping("still there?"))
//	p.Wants("a Pong with the Ping's application data", script.Pong("still there?"))
//	p.Sends(script.Close(1000, "bye"))
//	p.WantsClose(1000)
//
// It builds and parses frames itself and shares no code with the packages
// under test, so that a fault there cannot hide behind the same fault here.
// Every frame that comes from the connection is held against RFC 6455, whether
// the test looks at it or not.
//
// The script may break every rule of the protocol on purpose; what it sends is
// up to the [Frame]. A script never waits to send: what it sends is queued and
// goes out as the connection reads, as it would through the buffers of a
// kernel. Likewise it reads all the time, unless the test stops it.
//
// It works inside bubbles of testing/synctest, where waiting costs no time, and
// outside them.
package script
