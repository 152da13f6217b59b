// Package wsflow holds nothing but this comment: it is the root of a module
// that makes WebSocket connections into reactive streams.
//
//   - [github.com/wsflow/wsflow/dial] connects: from a URL to an open
//     connection.
//   - [github.com/wsflow/wsflow/stream] is the connection: messages in as a
//     loop, a channel, an Observable or callbacks, messages out through a
//     channel or a call.
//   - [github.com/wsflow/wsflow/deflate] compresses messages, as an operator.
//   - [github.com/wsflow/wsflow/heartbeat] watches over a connection's life, as
//     an operator.
//   - [github.com/wsflow/wsflow/result] says how a connection ended.
//   - [github.com/wsflow/wsflow/stream/streamtest] checks operators that others
//     write.
package wsflow
