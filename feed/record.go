package feed

import (
	"context"
	"fmt"
	"strings"

	"github.com/wsflow/wsflow/stream"
)

// A Record is what is stored of one message, or of a gap between two.
type Record struct {
	// Feed is the name of the feed that the record belongs to.
	Feed string
	// Data is what the program made of the message. It may be empty.
	Data []byte
	// Cursor says where the feed goes on behind this record: a sequence number, a
	// time, an offset, in the words of the feed's server. Job.Open gets it back.
	Cursor string
	// Gap is not nil for a record that holds no message: it tells, in its place
	// between the records of the feed, that messages may be missing there. An error
	// in its Status is stored as text.
	Gap *stream.Gap
	// Omitted is set by a Store that cannot hold Data, which is too large for it: it
	// is the length of Data, in bytes, and Data is nil.
	Omitted int
}

// A Store keeps the records of feeds, each feed's in order. A Store value is one
// worker's view of records that other workers may write to as well: it remembers
// how far each feed was when Last or Append told of it, and refuses to write
// anywhere but directly behind that. So a worker that was stopped, cut off or
// replaced cannot write a record late, twice, or between those of its successor.
//
// Both methods may be called from many goroutines, but not for the same feed at
// the same time. Package storetest holds what each Store must do.
type Store interface {
	// Last returns the last record of each of the feeds that have one. From then
	// on Append writes behind it. After an error it is to be called again.
	Last(ctx context.Context, feeds []string) (map[string]Record, error)
	// Append stores all of the records or none, in their order, each behind what Last
	// or Append last told of its feed. A feed that neither told of is taken for new.
	// Data is the caller's again when Append returns.
	//
	// A [*Conflict] names the feeds that somebody else has written to; nothing was
	// stored, and the caller may leave those feeds out and append the others. An
	// *result.ArgumentError names what no Store of this kind can hold. After any
	// other error it is not known whether the records were stored: the caller
	// repeats the call with the same records, which stores them once, or gives them
	// up and calls Last.
	Append(ctx context.Context, records []Record) error
}

// A Conflict is the error of an Append that came too late: other workers have
// written to some of its feeds. Nothing was stored.
type Conflict struct {
	Feeds []string // which feeds those are, each once
}

// Error counts the feeds and names the first of them.
func (e *Conflict) Error() string {
	const most = 3
	names := strings.Join(e.Feeds[:min(len(e.Feeds), most)], ", ")
	if len(e.Feeds) > most {
		names += ", ..."
	}
	return fmt.Sprintf("wsflow: another worker has written to %d feeds: %s", len(e.Feeds), names)
}
