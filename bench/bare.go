package main

import (
	"crypto/tls"
	"net"
	"syscall"
)

// bare is no library: a loop that reads into one reused buffer and parses
// frame headers in place. It shows what the machine allows.
var bare = &library{
	name: "bare loop", kind: ceiling,
	receive: bareReceive, echo: bareConversation.echo, hold: bareHold,
}

var bareConversation = conversing("", ceiling, func(t target) (conversation, error) { return bareDial(t) })

type bareConn struct {
	conn       net.Conn
	in         []byte // one large message and its header fit
	have, used int    // the bytes that came, and those of them that read has returned
	out        []byte
}

func bareDial(t target) (*bareConn, error) {
	conn, _, rest, err := handshake(t, "")
	if err != nil {
		return nil, err
	}
	c := &bareConn{conn: conn, in: make([]byte, 64<<10+16)}
	c.have = copy(c.in, rest)
	return c, nil
}

func (c *bareConn) close() { c.conn.Close() }

// refill makes room and reads more.
func (c *bareConn) refill() error {
	c.have = copy(c.in, c.in[c.used:c.have])
	c.used = 0
	n, err := c.conn.Read(c.in[c.have:])
	c.have += n
	return err
}

// whole returns the next message if all of it has come.
func (c *bareConn) whole() ([]byte, bool) {
	b := c.in[c.used:c.have]
	head, payload := 2, 0
	if len(b) > 1 && b[1] < 126 {
		payload = int(b[1]) // the shortest header needs no call
	} else {
		head, payload = parseHeader(b)
	}
	end := c.used + head + payload
	if head == 0 || end > c.have {
		return nil, false
	}
	message := c.in[c.used+head : end]
	c.used = end
	return message, true
}

func (c *bareConn) read() ([]byte, error) {
	for {
		if message, ok := c.whole(); ok {
			return message, nil
		}
		if err := c.refill(); err != nil {
			return nil, err
		}
	}
}

func (c *bareConn) write(message []byte) error {
	key := []byte{1, 2, 3, 4}
	c.out = appendHeader(c.out[:0], finalBit|opcodeBinary, len(message))
	c.out[1] |= maskBit
	c.out = append(append(c.out, key...), message...)
	mask(c.out[len(c.out)-len(message):], key)
	_, err := c.conn.Write(c.out)
	return err
}

func bareReceive(t target, tally *tally) error {
	c, err := bareDial(t)
	if err != nil {
		return err
	}
	defer c.close()
	for {
		for {
			message, ok := c.whole()
			if !ok {
				break
			}
			if err := t.check(message); err != nil {
				return err
			}
			if !tally.take(message) {
				return nil
			}
		}
		if err := c.refill(); err != nil {
			return err
		}
	}
}

// bareHold waits for readability, which over TLS takes a read of one byte.
func bareHold(t target, _ [][]byte) (func() error, error) {
	conn, _, _, err := handshake(t, "")
	if err != nil {
		return nil, err
	}
	if secure, ok := conn.(*tls.Conn); ok {
		return func() error {
			_, err := secure.Read(make([]byte, 1))
			return err
		}, nil
	}
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil, err
	}
	return func() error {
		asked := false
		return raw.Read(func(uintptr) bool {
			ready := asked
			asked = true
			return ready
		})
	}, nil
}
