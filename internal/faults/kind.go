// Package faults is a WebSocket server for tests whose connections end in every way
// in which connections end. It numbers the messages that it sends, and goes on
// behind the number that a client names; what comes from clients it keeps:
//
//	s := &faults.Server{Last: 1000, Resume: true, Cut: faults.Every(100)}
//	src := redial.New(ctx, s.Dial, ...)
//
// Its links may be slow, too: see Server.Rate.
//
// It speaks over memory, also in bubbles of testing/synctest, and over TCP. Its
// frames are made by package script, and share no code with the packages under test.
package faults

// A Kind is a way in which a connection ends.
type Kind int

// The kinds. None of them but Restart and Refuse, GoingAway and HalfClose lets the
// client know what the server wants.
const (
	None      Kind = iota // it goes on
	Reset                 // RST
	Finish                // the transport ends between two frames
	MidFrame              // it ends in the middle of a frame
	Silence               // nothing more comes, and the transport stays
	GoingAway             // Close with 1001
	Restart               // Close with 1012
	Refuse                // a cut, and the next handshake is refused
	HalfClose             // the transport ends in the middle of the Close frame
	Kinds                 // how many there are
)

// String returns the name of the kind.
func (k Kind) String() string {
	return [...]string{"none", "reset", "finish", "mid-frame", "silence", "going away", "restart", "refuse", "half a Close"}[k]
}

// Every returns a function for Server.Cut: each connection ends after n messages, the
// first in the first way, and so on in turn.
func Every(n int) func(conn int) (after int, how Kind) {
	return func(conn int) (int, Kind) { return n, Kind(1 + (conn-1)%int(Kinds-1)) }
}
