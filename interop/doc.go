// Package interop tests wsflow against WebSocket servers that others wrote,
// over loopback. It is a module of its own: none of them is a dependency of
// wsflow. The page docs/interop.md says which there are and what was found.
//
// All servers send back what they receive, except for these text messages:
//
//	close [CODE [REASON]]   closes with that code and reason, or without any
//	ping WORD               sends a Ping; its Pong is told by "pong WORD"
//	burst N                 sends a message of N MiB, and goes on reading meanwhile
//	cut N                   sends "message 0" to "message N-1", then ends TCP by a FIN
//	reset N                 the same, but by a RST
//
// They choose the subprotocol v1.wsflow where it is offered. A server that is
// a program listens once for each of its arguments, which are settings of
// permessage-deflate, and prints a line for its version, each port, and each
// Close frame that it received.
package interop
