package interop

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// A speaker is a server's side of a connection, in one of the Go libraries.
type speaker interface {
	text(string) error
	ping(payload string, answered func() error) error
	close(code int, reason string) error // 1005 is no code
	socket() net.Conn
}

// obey does what a text message asks for. It returns false for a message that
// is no order.
func obey(s speaker, message string) (bool, error) {
	word, rest, _ := strings.Cut(message, " ")
	switch word {
	case "close":
		number, reason, _ := strings.Cut(rest, " ")
		code, err := strconv.Atoi(number)
		if err != nil {
			code = 1005
		}
		return true, s.close(code, reason)
	case "ping":
		return true, s.ping(rest, func() error { return s.text("pong " + rest) })
	case "burst":
		return true, burst(s, rest)
	case "cut":
		return true, die(s, rest, s.socket().Close)
	case "reset":
		// A RST discards what was not sent yet: it waits for a Pong.
		return true, die(s, rest, func() error { return s.ping("reset", func() error { return abort(s.socket()) }) })
	}
	return false, nil
}

// burst sends a large message beside the one who reads.
func burst(s speaker, size string) error {
	n, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	go s.text(strings.Repeat("x", n<<20)) // until it is sent, or the connection ends
	return nil
}

// die sends messages and then ends TCP.
func die(s speaker, number string, end func() error) error {
	count, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	for i := range count {
		if err := s.text(fmt.Sprintf("message %d", i)); err != nil {
			return err
		}
	}
	return end()
}

// abort ends TCP by a RST.
func abort(c net.Conn) error {
	if err := c.(*net.TCPConn).SetLinger(0); err != nil {
		return err
	}
	return c.Close()
}
