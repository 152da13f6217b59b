package stream

// A gauge tells how many bytes stand in a channel that others take from. It
// notes how large each item was that went in; the bytes in the channel are
// those of the last items, as many as it holds now. The zero value has no
// limit.
type gauge struct {
	limit int64   // the most bytes; 0 or less: any number
	ends  []int64 // a ring: the bytes of all items up to each of the last ones
	next  int     // where in ends the next item goes
	total int64   // bytes of all items
	taken int64   // bytes of those that were not in the channel any more when it was last looked at
}

// fits reports whether an item of so many bytes may go into a channel that
// holds waiting items. An item always fits into an empty channel.
func (g *gauge) fits(size, waiting int) bool {
	if g.limit <= 0 || g.total+int64(size)-g.taken <= g.limit || waiting == 0 {
		return true
	}
	if waiting < len(g.ends) {
		g.taken = g.ends[(g.next-waiting-1+len(g.ends))%len(g.ends)]
	}
	return g.total+int64(size)-g.taken <= g.limit
}

// small reports whether an item of so many bytes fits whatever the channel
// holds.
func (g *gauge) small(size int) bool {
	return g.limit <= 0 || g.total+int64(size)-g.taken <= g.limit
}

// add notes that an item went into a channel that holds up to capacity of them.
func (g *gauge) add(size, capacity int) {
	if g.limit <= 0 {
		return
	}
	if g.ends == nil {
		g.ends = make([]int64, capacity+1)
	}
	g.total += int64(size)
	g.ends[g.next] = g.total
	if g.next++; g.next == len(g.ends) {
		g.next = 0
	}
}
