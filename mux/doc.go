// Package mux makes topics out of one connection, or of one source that outlives its
// connections: prices by symbol, rooms of a chat, answers by request.
//
//	prices := mux.New(source, &mux.Options[string]{
//		Topic: func(m stream.Message) (symbol string, ok bool) {
//			var price struct{ Symbol string }
//			json.Unmarshal(m.Data, &price)
//			return price.Symbol, price.Symbol != ""
//		},
//		Subscribe:   func(symbols []string) []stream.Message { return messages("subscribe", symbols) },
//		Unsubscribe: func(symbols []string) []stream.Message { return messages("unsubscribe", symbols) },
//		Limiter:     mux.NewWindow(5, 1100*time.Millisecond), // the server allows 5 a second
//	})
//	for message, err := range prices.Topic("XAU").All(ctx) {
//		if err != nil {
//			return err
//		}
//		if message.Type == stream.Notice { // the connection was lost, or is open again
//			continue
//		}
//		fmt.Println(message)
//	}
//
// A topic is a relay of package stream: it has the faces of a connection, as many
// takers as there are, and may be a member of a group of package fanin.
//
// # What the server is told
//
// A [Mux] compares what is desired, which is the topics that have takers, with what the
// server knows, which is what it was told on this connection. The difference is sent.
// No list of commands is kept that could go stale: on a new connection the server
// knows nothing, so it is told of all that is desired then, and of nothing else. A
// topic whose taker came and went while there was no connection is never heard of.
//
// What is desired is looked at when a message may go out, and not when it changes. So
// topics that get their takers one after another, while the Limiter has the mux wait, go
// out together. Without a Limiter the first may go out alone.
//
// # What takers see
//
// While a topic has takers, they get its messages, in order, and the link's Notices in
// their places among these. What comes while it has none is dropped. A message that is
// for no topic goes to [Mux.Unmatched], where a server's errors are found: [Mux.Fail] ends
// the topic that one is about.
//
// All topics come over one link, read by one goroutine. A Block subscriber whose queue is
// full holds up that goroutine, and so all other topics; a subscriber that need not see
// everything should have a policy that drops. The body of a loop over All does the same
// for as long as it is busy. It holds up the other topics' end as well, also after the
// link's CloseNow: the mux cannot tell what ended the link, and messages that came
// before belong to their topics. Cancel the subscription, or its context, to go on.
//
// # Calls
//
// [Mux.Call] is for servers that give each answer the key of its request. It sends, and
// waits for the first message with the key.
package mux
