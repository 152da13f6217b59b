package stream

// acceptedSize is what a message that is kept counts for beside its bytes.
const acceptedSize = 64

// accepted are messages that are kept until it is known that they were written, in
// the order in which they were accepted.
type accepted struct {
	all  []acceptedMessage
	from int // what of all is still kept begins here
	size int // bytes of those, with acceptedSize for each
}

type acceptedMessage struct {
	Message
	end int64 // the offset in the outbox behind its last frame
}

// add keeps a message. Where nobody keeps them, it is released: the outbox has a
// copy.
func (a *accepted) add(m Message, end int64) {
	if a == nil {
		m.Release()
		return
	}
	a.all = append(a.all, acceptedMessage{m, end})
	a.size += len(m.Data) + acceptedSize
}

// first returns the offset behind the oldest message.
func (a *accepted) first() int64 { return a.all[a.from].end }

// release releases the messages that end at or before an offset.
func (a *accepted) release(written int64) {
	for ; a.from < len(a.all) && a.first() <= written; a.from++ {
		m := &a.all[a.from]
		a.size -= len(m.Data) + acceptedSize
		m.Release()
		*m = acceptedMessage{}
	}
	if a.from > len(a.all)/2 {
		n := copy(a.all, a.all[a.from:])
		clear(a.all[n:])
		a.all, a.from = a.all[:n], 0
	}
}

// settle returns what is still kept, oldest first, and keeps it no longer.
func (a *accepted) settle() []Message {
	var rest []Message
	for _, m := range a.all[a.from:] {
		rest = append(rest, m.Message)
	}
	*a = accepted{}
	return rest
}
