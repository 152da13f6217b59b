package main

// A kind tells what a library is in a comparison.
type kind string

const (
	ceiling  kind = "ceiling"  // what the machine can do with no library
	baseline kind = "baseline" // what is built on, and cannot be outrun
	peer     kind = "peer"     // each message by one call, with the library's own settings
	tuned    kind = "tuned"    // a peer with large buffers, read as a stream into memory that is reused
	ours     kind = "wsflow"
	before   kind = "before" // wsflow as another checkout has it
)

// A library is one way to use one WebSocket implementation. Each function
// opens its own connection, works until the tally has enough, and closes it.
// One that is nil is never asked for: workloads name who takes part.
type library struct {
	name string
	kind kind

	// receive takes messages until the tally has enough.
	receive func(target, *tally) error
	// send writes the messages of the deck, over and over.
	send func(target, *deck, *tally) error
	// echo writes a message and waits for its return.
	echo func(target, []byte, *tally) error
	// hold opens a connection and sends the first messages. What it returns then
	// reads until the connection ends; it is run on a goroutine of its own.
	hold func(t target, first [][]byte) (read func() error, err error)
	// gather returns what brings the messages of many connections together.
	gather func() gathering
}
