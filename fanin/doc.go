// Package fanin makes one source out of many.
//
//	group := fanin.New(nil)
//	for name, conn := range conns {
//		if _, err := group.Add(name, conn); err != nil {
//			return err
//		}
//	}
//	group.Close() // no more members: the group ends with the last of them
//	for message, err := range group.All(ctx) {
//		if err != nil {
//			return err
//		}
//		if message.Type == stream.Notice { // a connection was lost, opened or ended
//			continue
//		}
//		fmt.Println(message.Origin().Name, message)
//	}
//
// A [Group] has the faces of a connection: a loop, channels, batches, Observables and
// callbacks. Members are anything that is a [stream.Source]: connections, sources of
// package redial that outlive theirs, topics of package mux, and other groups. They
// may come and go while the group runs.
//
// # What comes out
//
// Each message tells by its Origin which member brought it. Those of one member come
// in their order; between members there is none. When a member has ended, a Notice
// with Final tells so behind its last message. Notices of a source that is made of
// several connections come through as well. A loop over All is lent messages, as
// always; in every other face the taker owns them.
//
// # One slow taker, many members
//
// No goroutine stands between a member and the group's takers: each connection gives
// its messages to them itself, in turn with the others. A subscriber with the policy
// Block, the default, holds up all members while its queue is full; then TCP holds back
// the peers. Their Pings are answered meanwhile, as ever.
//
// # Who gets a turn
//
// While there are several members, one turn is at most 64 messages, or one batch of up
// to 256 where the only taker takes batches or is a loop over All. Those who wait for a
// turn get it in the order in which they came. So a member with a message at
// hand waits for what the queue holds and for one turn of each other member, and no
// longer, however much these have to say.
//
// # The same feed twice
//
// With [Options.Distinct] several members may carry the same messages: the first copy is
// handed on. What one of them misses the other brings, so only what all of them miss is
// missing. The order is that of arrival.
package fanin
