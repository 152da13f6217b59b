package streamtest

import (
	"errors"
	"fmt"

	"github.com/wsflow/wsflow/stream"
)

// A pinger is an operator that sends a Ping with each piece that passes.
type pinger struct{}

func (pinger) Attach(link *stream.Link) (stream.Hooks, error) {
	p := &pings{link: link}
	return stream.Hooks{Out: p.outbound, Control: p.control, State: p}, nil
}

// Pings are what a pinger sent in one connection, and their answers.
type pings struct {
	link *stream.Link
	sent int // of the one who sends

	answers int // and the rest of the one who reads
	last    int // the Ping that was answered last
	err     error
}

const pingText = "ping %d of the kit"

func (p *pings) outbound(f stream.Frame) error {
	if p.link.Control(stream.Ping, fmt.Appendf(nil, pingText, p.sent+1)) == nil {
		p.sent++
	}
	return p.link.Down(f)
}

// control takes the Pongs, of which some may be left out, but not change their
// order.
func (p *pings) control(f stream.Frame) error {
	var n int
	if f.Type != stream.Pong {
		return nil
	}
	if _, err := fmt.Sscanf(string(f.Payload), pingText, &n); err != nil {
		return nil // the answer to another operator
	}
	if n <= p.last && p.err == nil {
		p.err = fmt.Errorf("the answer to Ping %d came after that to Ping %d", n, p.last)
	}
	p.answers, p.last = p.answers+1, n
	return nil
}

// pingsAnswered checks that Pings came through on both sides.
func pingsAnswered(w *wires) error {
	client, _ := stream.OperatorState[*pings](w.client)
	server, _ := stream.OperatorState[*pings](w.server)
	return errors.Join(wrap("client", client.answered()), wrap("server", server.answered()))
}

func (p *pings) answered() error {
	if p.err != nil {
		return p.err
	}
	if p.answers == 0 || p.last > p.sent {
		return fmt.Errorf("%d Pings were sent, %d answered, the last of them was %d", p.sent, p.answers, p.last)
	}
	return nil
}
