// Package wsflow is the root of a WebSocket client: connections as iterators,
// channels and rxgo Observables. It holds nothing but this comment.
//
//	conn, err := dial.Dial(ctx, url, nil)
//	if err != nil {
//		return err
//	}
//	conn.SendText(ctx, "hello")
//	for message, err := range conn.All(ctx) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(message)
//		break
//	}
//	return conn.Shutdown(ctx, result.StatusNormalClosure, "thanks") // closes, and waits for the peer's Close
//
// The packages:
//
//   - [github.com/wsflow/wsflow/dial] connects: from a URL to an open
//     connection.
//   - [github.com/wsflow/wsflow/stream] is the connection: messages in as a
//     loop, a channel, an Observable or callbacks, messages out through a
//     channel or a call, and one end. Its comment says where to find what.
//   - [github.com/wsflow/wsflow/redial] makes one lasting source of connections
//     that do not last.
//   - [github.com/wsflow/wsflow/deflate] compresses messages, as an operator.
//   - [github.com/wsflow/wsflow/heartbeat] watches over a connection's life, as
//     an operator.
//   - [github.com/wsflow/wsflow/fanin] makes one source out of many.
//   - [github.com/wsflow/wsflow/mux] makes topics out of one source.
//   - [github.com/wsflow/wsflow/feed] stores what comes on many connections, each
//     message once and in order.
//   - [github.com/wsflow/wsflow/result] says how a connection ended.
//   - [github.com/wsflow/wsflow/stream/streamtest] checks operators that others
//     write.
package wsflow
