package stream

import (
	"time"

	"github.com/wsflow/wsflow/result"
)

// An Origin says which connection of a [Relay] a message came from. There is one
// for each connection; it is shared by all of its messages and must not be changed.
type Origin struct {
	Name  string // of the source in a group; "" outside one
	Epoch uint64 // which of the source's connections, from 1
}

// Origin returns where a message came from. It is nil for messages of a [Conn], and
// for those that the program made.
func (m Message) Origin() *Origin {
	if m.tag == nil {
		return nil
	}
	return m.tag.origin
}

// A Gap tells, in its place in a stream, of a connection that ended. It comes in a
// [Notice], twice: behind the last message of the former connection, with To 0, and
// before the first message of the next one. Where none follows it comes once, with
// Final set.
//
// A policy that drops messages may drop a Notice as well. The Epoch of the next
// message's [Origin] tells of the gap then.
type Gap struct {
	From      uint64        // epoch of the former connection
	To        uint64        // epoch of the next one; 0 while there is none
	Status    result.Status // how the former connection ended
	Attempts  int           // dials that the next one took
	Lost      time.Time     // when the former one ended
	Down      time.Duration // from then until the next one was open
	Continued bool          // it is vouched for that no message was missed
	Final     bool          // no connection follows
}

// Gap returns what a [Notice] tells. It is nil for any other message. The Gap is
// shared and must not be changed.
func (m Message) Gap() *Gap {
	if m.tag == nil {
		return nil
	}
	return m.tag.gap
}

// runs reports whether two messages may stand in one batch: they have one origin,
// and none is a Notice.
func (m *Message) runs(with *Message) bool {
	return m.Type != Notice && with.Type != Notice && m.Origin() == with.Origin()
}

// Data reports whether item is a [Message] that came from a peer or a program, and
// no [Notice]. It is a predicate for the Filter of an Observable.
func Data(item any) bool {
	m, ok := item.(Message)
	return ok && m.Type != Notice
}
