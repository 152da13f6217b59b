package dial

import (
	"fmt"
	"strings"

	"github.com/wsflow/wsflow/internal/wire"
	"github.com/wsflow/wsflow/stream"
)

// An offer is what the operators of one connection offer in the handshake.
type offer struct {
	operators []stream.Operator
	header    string         // of Sec-WebSocket-Extensions, or ""
	owner     map[string]int // the index of the operator, by extension name
}

// newOffer joins the operators' offers in their order. It is an error if one
// does not parse, or if two operators offer the same extension: an answer could
// not be told apart.
func newOffer(operators []stream.Operator) (offer, error) {
	o := offer{operators: operators, owner: map[string]int{}}
	var all []string
	for i, op := range operators {
		n, ok := op.(stream.Negotiator)
		if !ok {
			continue
		}
		for _, text := range n.Offers() {
			field := fmt.Sprintf("Operators[%d]", i)
			elements, err := wire.ParseExtensions(text)
			if err != nil || len(elements) != 1 {
				return offer{}, badOption(field+".Offers", text, "one extension with its parameters, as RFC 6455 section 9.1 writes it")
			}
			name := elements[0].Name
			if j, taken := o.owner[name]; taken && j != i {
				return offer{}, badOption(field, name, fmt.Sprintf("extensions that Operators[%d] does not offer as well", j))
			}
			o.owner[name] = i
			all = append(all, elements[0].Text)
		}
	}
	o.header = strings.Join(all, ", ")
	return o, nil
}

// negotiate returns the operators to attach: those that take no part in the
// handshake, and what became of those that the server agreed to. They stand
// where they stood, except that negotiated ones change places among themselves
// if the server lists them in another order, because that order is in force:
//
// "if the header field |Sec-WebSocket-Extensions| sent by the server has the
// value "foo, bar", then operations on the data will be made as
// bar(foo(data))".
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-9.1
func (o offer) negotiate(answer []string) ([]stream.Operator, error) {
	elements, err := wire.ParseExtensions(strings.Join(answer, ","))
	if err != nil {
		return nil, err
	}
	agreed := map[int]stream.Operator{}
	var order []stream.Operator
	for _, e := range elements {
		i, offered := o.owner[e.Name]
		if !offered {
			return nil, fmt.Errorf("the server uses the extension %q, which was not offered", e.Name)
		}
		if _, twice := agreed[i]; twice {
			return nil, fmt.Errorf("the server uses the extension %q in addition to one that stands in its place", e.Name)
		}
		op, err := o.operators[i].(stream.Negotiator).Accept(e.Text)
		if err != nil {
			return nil, err
		}
		agreed[i] = op
		order = append(order, op)
	}
	return o.place(agreed, order), nil
}

// place puts the agreed operators, in the server's order, where operators were
// agreed to, and leaves those out that the server did not answer.
func (o offer) place(agreed map[int]stream.Operator, order []stream.Operator) []stream.Operator {
	list := make([]stream.Operator, 0, len(o.operators))
	for i, op := range o.operators {
		if _, ok := agreed[i]; ok {
			list, order = append(list, order[0]), order[1:]
		} else if _, negotiates := op.(stream.Negotiator); !negotiates {
			list = append(list, op)
		}
	}
	return list
}
