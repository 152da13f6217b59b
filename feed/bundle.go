package feed

import (
	"slices"

	"github.com/wsflow/wsflow/stream"
)

// bundleBytes is how many bytes of messages are gathered for one Append.
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

func (b *bundle) add(r Record, m stream.Message) {
	b.items = append(b.items, item{Record: r, message: m})
	b.records++
	b.bytes += len(m.Data)
}

func (b *bundle) addMark(s *stint) {
	b.items = append(b.items, item{mark: s})
	b.marked = true
}

// full reports that there are so many records, or bytes enough.
func (b *bundle) full(records int) bool { return b.records >= records || b.bytes >= bundleBytes }

// first returns the first records, at most so many, and how many items those are with
// the marks before and behind them. The slice may be used until first is called again.
func (b *bundle) first(most int) (records []Record, items int) {
	clear(b.part)
	b.part = b.part[:0]
	for _, it := range b.items {
		if it.mark == nil {
			if len(b.part) == most {
				break
			}
			b.part = append(b.part, it.Record)
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
	b.bytes -= len(it.message.Data)
	it.message.Release()
}
