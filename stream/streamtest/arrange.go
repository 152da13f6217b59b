package streamtest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/wsflow/wsflow/stream"
)

// A part is a pair that takes part in an arrangement.
type part struct {
	name string
	pair Pair
}

// An arrangement is a list of operators, the first nearest the application.
type arrangement []part

func both(op stream.Operator) Pair {
	return func() (client, server stream.Operator) { return op, op }
}

// parts names the pairs and adds those of the kit.
func parts(pairs []Pair) []part {
	ps := []part{
		{"counter", both(counter{})},
		{"injector", both(injector{})},
	}
	for i, p := range pairs {
		ps = append(ps, part{"operator " + strconv.Itoa(i), p})
	}
	return ps
}

// arrangements returns every order of every subset, the empty one first.
func arrangements(ps []part) []arrangement {
	as := []arrangement{nil}
	for i := 0; i < len(as); i++ {
		for _, p := range ps {
			if !slices.ContainsFunc(as[i], func(q part) bool { return q.name == p.name }) {
				as = append(as, append(slices.Clip(as[i]), p))
			}
		}
	}
	return as
}

func (a arrangement) name() string {
	if len(a) == 0 {
		return "none"
	}
	var names []string
	for _, p := range a {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}

// lists returns what each side's list of operators holds.
func (a arrangement) lists() (client, server []stream.Operator) {
	for _, p := range a {
		c, s := p.pair()
		if c != nil {
			client = append(client, c)
		}
		if s != nil {
			server = append(server, s)
		}
	}
	return client, server
}

// lists returns what each side's list holds where the pair is alone.
func (p Pair) lists() (client, server []stream.Operator) {
	return arrangement{{pair: p}}.lists()
}

// composes checks that messages and the closing handshake pass through the
// arrangement, and what the kit's own operators saw in it.
func composes(ctx context.Context, a arrangement) error {
	e := exchange{fromClient: script(6, twoSizes), fromServer: script(7, twoSizes), fragment: 1000}
	e.client, e.server = a.lists()
	e.looks = append(e.looks, countsAgree, injectionsArrived)
	return e.run(ctx)
}

func countsAgree(w *wires) error {
	client, there := stream.OperatorState[*counts](w.client)
	server, here := stream.OperatorState[*counts](w.server)
	if !there || !here {
		return nil
	}
	return errors.Join(
		wrap("counter, from the client", agree(client.out, server.in)),
		wrap("counter, from the server", agree(server.out, client.in)),
	)
}

func injectionsArrived(w *wires) error {
	client, there := stream.OperatorState[*injections](w.client)
	server, here := stream.OperatorState[*injections](w.server)
	if !there || !here {
		return nil
	}
	return errors.Join(
		wrap("injector, from the client", client.arrived(server)),
		wrap("injector, from the server", server.arrived(client)),
	)
}
