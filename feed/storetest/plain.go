package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wsflow/wsflow/feed"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// record is a record of a feed, the n-th of it.
func record(name string, n int) feed.Record {
	return feed.Record{Feed: name, Data: fmt.Appendf(nil, "%s/%d", name, n), Cursor: fmt.Sprint(n)}
}

// series are records of a feed, from number first to last.
func series(name string, first, last int) (all []feed.Record) {
	for n := first; n <= last; n++ {
		all = append(all, record(name, n))
	}
	return all
}

// holds requires that the feed has these records and no others.
func (b *bench) holds(name string, want ...feed.Record) {
	b.Helper()
	got := b.Read(name)
	for i := range min(len(got), len(want)) {
		b.same(fmt.Sprintf("record %d of %q", i, name), got[i], want[i])
	}
	if len(got) != len(want) {
		b.Fatalf("%q has %d records, want %d", name, len(got), len(want))
	}
}

// same requires that two records say the same.
func (b *bench) same(what string, got, want feed.Record) {
	b.Helper()
	if g, w := describe(got), describe(want); g != w {
		b.Fatalf("%s is\n%s\nwant\n%s", what, g, w)
	}
}

func describe(r feed.Record) string {
	const most = 100
	data := string(r.Data)
	if len(data) > most {
		data = data[:most] + "..."
	}
	text := fmt.Sprintf("feed %q, %d bytes %q, cursor %q, omitted %d", r.Feed, len(r.Data), data, r.Cursor, r.Omitted)
	if g := r.Gap; g != nil {
		text += fmt.Sprintf(", gap from %d to %d by %v (by peer %t, sent %d, received %d, error %v), attempts %d, lost %v, down %v, continued %t, final %t",
			g.From, g.To, g.Status, g.Status.ByPeer, g.Status.Sent, g.Status.Received, g.Status.Err,
			g.Attempts, g.Lost.UTC(), g.Down, g.Continued, g.Final)
	}
	return text
}

func empty(b *bench) {
	s := b.Open()
	if got := b.last(s, "a", "b"); len(got) != 0 {
		b.Errorf("Last tells of %v", got)
	}
	if got := b.last(s); len(got) != 0 {
		b.Errorf("Last of no feeds tells of %v", got)
	}
	b.append(s)
	b.holds("a")
}

func last(b *bench) {
	s := b.Open()
	b.append(s, append(series("a", 1, 3), series("b", 1, 2)...)...)
	for _, s := range []feed.Store{s, b.Open()} {
		got := b.last(s, "a", "b", "c")
		if len(got) != 2 {
			b.Fatalf("Last tells of %d feeds, want 2", len(got))
		}
		b.same("the last of a", got["a"], record("a", 3))
		b.same("the last of b", got["b"], record("b", 2))
	}
	b.append(s, record("a", 4))
	b.same("the last of a", b.last(s, "a")["a"], record("a", 4))
}

func fields(b *bench) {
	gap := stream.Gap{
		From: 3, To: 4, Attempts: 7, Lost: time.Date(2026, 2, 3, 4, 5, 6, 789, time.UTC), Down: 90 * time.Second,
		Status: result.Status{Code: 4001, Reason: "no \"credit\"\nleft", ByPeer: true, Sent: 1000, Received: 4001, Err: errors.New("closed\r\nfor good")},
	}
	final := stream.Gap{From: 1, Status: result.Status{Code: 1000}, Continued: true, Final: true}
	want := []feed.Record{
		{Feed: "f"},
		{Feed: "f", Data: []byte{0, 1, 13, 10, 0xff, 13, 10}, Cursor: "1"},
		{Feed: "f", Cursor: "1", Gap: &gap},
		{Feed: "f", Data: []byte("\r\n\r\n")},
		{Feed: "f", Gap: &final},
	}
	b.append(b.Open(), want...)
	b.holds("f", want...)
	b.same("the last", b.last(b.Open(), "f")["f"], want[len(want)-1])
}

// odd are names and cursors that a store may have to spell in another way.
var odd = []string{
	"a", "a.b", "a..b", ".a", "a.", ".", "..", "*", ">", "a.*", "a.>", "a b", " a", "a ", "a%20b", "%", "a\tb", "a\r\nb", "a\x00b", "ä", "日本",
	"A", "$JS", "wss://feed.example:8080/trades?symbol=btc/usdt&depth=5#now", "a\x7fb", "\xff", "\xfe", `a"b\`, "a:b", "a,b",
}

func spelling(b *bench) {
	s := b.Open()
	var records []feed.Record
	for _, name := range odd {
		records = append(records, feed.Record{Feed: name, Data: []byte(name), Cursor: name})
	}
	b.append(s, records...)
	found := b.last(b.Open(), odd...)
	for i, name := range odd {
		b.holds(name, records[i])
		b.same("the last", found[name], records[i])
	}
	long := strings.Repeat("x", 1000)
	b.append(s, feed.Record{Feed: "a", Cursor: long})
	if got := b.last(s, "a")["a"].Cursor; got != long {
		b.Errorf("a cursor of %d bytes came back with %d", len(long), len(got))
	}
}

func order(b *bench) {
	s := b.Open()
	want := map[string][]feed.Record{}
	for n := range 30 {
		var batch []feed.Record
		for i := range 50 {
			name := fmt.Sprint("f", (n*i)%7)
			r := record(name, len(want[name]))
			want[name] = append(want[name], r)
			batch = append(batch, r)
		}
		b.append(s, batch...)
	}
	for name, all := range want {
		b.holds(name, all...)
	}
}

func lent(b *bench) {
	s := b.Open()
	data := []byte("before")
	b.append(s, feed.Record{Feed: "a", Data: data})
	copy(data, "after!")
	b.holds("a", feed.Record{Feed: "a", Data: []byte("before")})
	got := b.last(s, "a")["a"]
	copy(got.Data, "after!")
	b.holds("a", feed.Record{Feed: "a", Data: []byte("before")})
}

func oversize(b *bench) {
	if b.Oversize == 0 {
		b.Skip("this store holds records of any length")
	}
	s := b.Open()
	large := feed.Record{Feed: "a", Data: make([]byte, b.Oversize), Cursor: "2"}
	marker := feed.Record{Feed: "a", Cursor: "2", Omitted: b.Oversize}
	b.append(s, record("a", 1), large, record("b", 1), record("a", 3))
	b.holds("a", record("a", 1), marker, record("a", 3))
	b.holds("b", record("b", 1))
	b.append(s, large)
	b.same("the last", b.last(b.Open(), "a")["a"], marker)
}

func ended(b *bench) {
	s := b.Open()
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	if err := s.Append(ctx, series("a", 1, 1)); err == nil {
		b.Error("Append succeeds")
	}
	if _, err := s.Last(ctx, []string{"a"}); err == nil {
		b.Error("Last succeeds")
	}
	b.holds("a")
	b.append(s, record("a", 1))
	b.holds("a", record("a", 1))
}

// many asks of so many feeds that a store may have to ask in parts.
func many(b *bench) {
	const feeds = 2100
	s := b.Open()
	var names []string
	var records []feed.Record
	for i := range feeds {
		names = append(names, fmt.Sprintf("many/%04d", i))
		if i%5 != 0 {
			records = append(records, record(names[i], i))
		}
	}
	const part = 500
	for at := 0; at < len(records); at += part {
		b.append(s, records[at:min(at+part, len(records))]...)
	}
	found := b.last(b.Open(), names...)
	if len(found) != len(records) {
		b.Fatalf("Last tells of %d feeds, want %d", len(found), len(records))
	}
	for _, r := range records {
		b.same("the last", found[r.Feed], r)
	}
}
