// Package feed stores what comes on many connections, each message once and in order,
// whatever fails.
//
//	job := &feed.Job{
//		Feeds: []string{"squares", "cubes"},
//		Open: func(ctx context.Context, name string, last feed.Record) (stream.Source, error) {
//			return dialPowers(ctx, name, last.Cursor) // goes on behind the cursor
//		},
//		Record: func(m stream.Message) (feed.Record, bool) {
//			number, power, _ := strings.Cut(m.String(), " ")
//			return feed.Record{Data: []byte(power), Cursor: number}, true
//		},
//		Exact: true, // nothing is missing behind a cursor
//		Store: store,
//	}
//
// A feed is a name for what a server sends on one connection, such as a channel of a
// market. [Run] opens the feeds of a [Job], makes a [Record] of each message, and
// appends the records to a [Store]. Each record has the cursor behind which the feed
// goes on: whoever opens the feed next finds it with the last record. So what is
// received and what is known of it can never be apart.
//
// # Many workers
//
// Several processes may do one job: a [Crew] shares the feeds among them, and hands
// the feeds of one that dies to the others. No worker needs to be right about whose a
// feed is. The Store is: it refuses a record that does not stand directly behind what
// its writer knows of, so that a worker that was stopped for a while, or cut off, writes
// nothing late, nothing twice, and nothing between the records of its successor.
//
// # What is promised
//
// The records of each feed are in the store in the order in which the connection
// brought them, each once, whatever process or connection died meanwhile. That nothing
// is missing between two connections is up to the feed: where its server goes on behind
// a cursor, nothing is; elsewhere a record with a Gap stands in that place.
//
// [Memory] is a Store in the memory of the process. Package feed/jetstream, a module of
// its own, has one in NATS JetStream, and a Crew. Package storetest holds what each
// Store must do.
package feed
