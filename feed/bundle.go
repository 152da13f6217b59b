package feed

import (
	"slices"

	"github.com/wsflow/wsflow/stream"
)

// bundleBytes is how many bytes are gathered for one Append: of records, or of the messages
// that they were made of, whichever are more. An Append has hardly more, but for a record
// that is larger.
const bundleBytes = 4 << 20

// A bundle is the records that are to be stored, in order.
type bundle struct {
	items   []item
	records int  // among the items
	bytes   int  // of their messages
	marked  bool // there is a mark among the items
	part    []Record
}

// An item is a record, or the mark of a stint whose records all stand before it.
type item struct {
	Record
	message stream.Message // whose memory the record may use
	mark    *stint         // nil for a record
}

// size returns how many bytes the item counts.
func (it *item) size() int { return max(len(it.Data), len(it.message.Data)) }

func (b *bundle) add(r Record, m stream.Message) {
	it := item{Record: r, message: m}
	b.items = append(b.items, it)
	b.records++
	b.bytes += it.size()
}

func (b *bundle) addMark(s *stint) {
	b.items = append(b.items, item{mark: s})
	b.marked = true
}

// full reports that there are so many records, or bytes enough.
func (b *bundle) full(records int) bool { return b.records >= records || b.bytes >= bundleBytes }

// first returns the first records, at most so many and until there are bytes enough, and
// how many items those are with the marks before and behind them. The slice may be used
// until first is called again.
func (b *bundle) first(most int) (records []Record, items int) {
	clear(b.part)
	b.part = b.part[:0]
	bytes := 0
	for i := range b.items {
		if it := &b.items[i]; it.mark == nil {
			if len(b.part) == most || bytes >= bundleBytes {
				break
			}
			b.part = append(b.part, it.Record)
			bytes += it.size()
		}
		items++
	}
	return b.part, items
}

// done takes the first items out, releases their messages, and returns the marks.
func (b *bundle) done(items int) (marks []*stint) {
	for i := range b.items[:items] {
		if it := &b.items[i]; it.mark != nil {
			marks = append(marks, it.mark)
		} else {
			b.drop(it)
		}
	}
	b.items = slices.Delete(b.items, 0, items)
	b.marked = slices.ContainsFunc(b.items, func(it item) bool { return it.mark != nil })
	return marks
}

// without leaves out the records of some feeds, but not their marks. It returns how
// many records those are.
func (b *bundle) without(feeds []string) int {
	before := b.records
	b.items = slices.DeleteFunc(b.items, func(it item) bool {
		if it.mark != nil || !slices.Contains(feeds, it.Feed) {
			return false
		}
		b.drop(&it)
		return true
	})
	return before - b.records
}

func (b *bundle) drop(it *item) {
	b.records--
	b.bytes -= it.size()
	it.message.Release()
}
