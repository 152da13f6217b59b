// Package jetstream stores feeds in NATS JetStream, and shares them among workers.
//
//	nc, err := nats.Connect(url, nats.MaxReconnects(-1))
//	js, err := jetstream.New(nc)
//	_, err = js.CreateOrUpdateStream(ctx, store.Settings("TRADES"))
//	kv, err := js.CreateOrUpdateKeyValue(ctx, store.CrewSettings("workers", 10*time.Second))
//	job.Store, err = store.NewStore(ctx, js, "TRADES")
//	job.Crew, err = store.NewCrew(ctx, kv, "worker-1", logger)
//	err = feed.Run(ctx, job)
//
// Here jetstream is the package of nats.go and store is this one. The server is NATS 2.12
// or later; package embedded has one in the program itself.
//
// # How it is exact
//
// All records of an Append are one atomic batch, which the server stores as a whole
// or not at all. In it the first record of each feed carries the sequence that the
// feed's last record must have. The server refuses a batch that is late, repeated,
// or sent by a worker whose feeds have gone to another, whatever that worker
// believes. No clock, lease or leader of ours takes part.
//
// If an answer does not come, the batch is sent again. If the first one was stored,
// the second is refused; the id of the batch, which stands in each stored message,
// tells that it is ours.
//
// # What is stored
//
// A record is a message on the subject of its feed, which [Store.Subject] tells. Its
// payload is Record.Data as it is. Headers have the rest: Wsflow-Cursor; Wsflow-Gap, in
// JSON, for a record that tells of a gap; Wsflow-Omitted, the length of data that was
// larger than a message of the server may be, and was left out. Any client of NATS can
// read it.
//
// # Why not the fast batch
//
// JetStream's fast batches need no answer to each batch. But where the server syncs
// before it acknowledges they are tens of times slower, as each message waits for the
// disk, and not each batch. In a cluster a fence in them fails as soon as the message
// before is still on its way.
package jetstream
