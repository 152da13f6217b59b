//go:build js

package dial

// A browser opens WebSocket connections itself and gives no program a socket,
// nor the header of the opening handshake. There is nothing for this package to
// dial with.
var _ = wsflow_dial_does_not_support_GOOS_js_use_the_WebSocket_of_the_browser
