package stream

import (
	"fmt"
	"strconv"
	"time"

	"github.com/wsflow/wsflow/result"
)

// An Origin says which connection of a [Relay] a message came from. There is one
// for each connection; it is shared by all of its messages and must not be changed.
type Origin struct {
	Name  string // of the source in a group; "" outside one
	Epoch uint64 // which of the source's connections, from 1
}

// String returns which connection it is, such as `connection 2 of "gold"`.
func (o Origin) String() string {
	if o.Name == "" {
		return "connection " + strconv.FormatUint(o.Epoch, 10)
	}
	return fmt.Sprintf("connection %d of %q", o.Epoch, o.Name)
}

// Origin returns where a message came from. It is nil for messages of a [Conn], and
// for those that the program made.
func (m Message) Origin() *Origin {
	if m.tag == nil {
		return nil
	}
	return m.tag.origin
}

// A Gap tells, in its place in a stream, of a connection that ended. It comes twice,
// each time in a [Notice]: behind the last message of the former connection, with To
// 0, and before the first message of the next one. When a member of a group ends, one
// Gap with Final tells so, and no other follows. The end of a whole stream is told by
// the stream alone.
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

// String tells which connection ended, why, and what follows, such as
//
//	connection 1 ended: 1001 "restart"; number 2 is open after 2s, and nothing was missed
func (g Gap) String() string { return g.of("") }

// of is String with the name of the source.
func (g *Gap) of(name string) string {
	why, follows := g.Status.String(), "the next one is not open yet"
	if g.Status.Err != nil {
		why = g.Status.Err.Error()
	}
	switch {
	case g.Final:
		follows = "none follows"
	case g.To > 0:
		follows = fmt.Sprintf("number %d is open after %v", g.To, g.Down.Round(time.Millisecond))
	}
	if g.Continued {
		follows += ", and nothing was missed"
	}
	return fmt.Sprintf("%v ended: %s; %s", Origin{name, g.From}, why, follows)
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

// IsData reports whether item is a [Message] and no [Notice], or a []Message that does
// not begin with one. It is a predicate for the Filter of an Observable:
//
//	relay.Observable(nil).Filter(stream.IsData)
func IsData(item any) bool {
	switch v := item.(type) {
	case Message:
		return v.Type != Notice
	case []Message:
		return len(v) > 0 && v[0].Type != Notice
	}
	return false
}

// A GapError is what [Decode] and [Decoder] make of a [Notice]. The stream goes on,
// so the error with which the connection ended is in Gap alone, and not wrapped.
type GapError struct {
	Origin *Origin // of the Notice; may be nil
	Gap    *Gap
}

// Error tells which connection ended, why, and what follows.
func (e *GapError) Error() string {
	name := ""
	if e.Origin != nil {
		name = e.Origin.Name
	}
	return "wsflow: " + e.Gap.of(name)
}
