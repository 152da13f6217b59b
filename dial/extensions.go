package dial

import (
	"errors"
	"fmt"
	"strings"

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
			elements, err := parseExtensions(text)
			if err != nil || len(elements) != 1 {
				return offer{}, badOption(field+".Offers", text, "one extension with its parameters, as RFC 6455 section 9.1 writes it")
			}
			name := elements[0].name
			if j, taken := o.owner[name]; taken && j != i {
				return offer{}, badOption(field, name, fmt.Sprintf("extensions that Operators[%d] does not offer as well", j))
			}
			o.owner[name] = i
			all = append(all, elements[0].text)
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
	elements, err := parseExtensions(strings.Join(answer, ","))
	if err != nil {
		return nil, err
	}
	agreed := map[int]stream.Operator{}
	var order []stream.Operator
	for _, e := range elements {
		i, offered := o.owner[e.name]
		if !offered {
			return nil, fmt.Errorf("the server uses the extension %q, which was not offered", e.name)
		}
		if _, twice := agreed[i]; twice {
			return nil, fmt.Errorf("the server uses the extension %q in addition to one that stands in its place", e.name)
		}
		op, err := o.operators[i].(stream.Negotiator).Accept(e.text)
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

// An element is one extension of a Sec-WebSocket-Extensions header.
type element struct {
	name string
	text string // the whole element, parameters included
}

var errExtensions = errors.New("the Sec-WebSocket-Extensions header does not follow RFC 6455 section 9.1")

// parseExtensions splits the value of a header, or of several joined by commas,
// into its elements. Elements may be empty, as RFC 2616 section 2.1 lets the
// elements of every list be; they count for nothing.
//
//	extension-list  = 1#extension
//	extension       = extension-token *( ";" extension-param )
//	extension-token = token
//	extension-param = token [ "=" (token | quoted-string) ]
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-9.1
func parseExtensions(s string) ([]element, error) {
	var list []element
	r := &reader{s: s}
	for {
		r.space()
		if r.done() {
			return list, nil
		}
		if r.next(',') {
			continue
		}
		e, ok := r.extension()
		if !ok || !r.done() && !r.next(',') {
			return nil, errExtensions
		}
		list = append(list, e)
	}
}

// A reader walks through a header's value.
type reader struct {
	s string
	i int
}

func (r *reader) done() bool { return r.i == len(r.s) }

// next steps over c, if it comes next.
func (r *reader) next(c byte) bool {
	if r.done() || r.s[r.i] != c {
		return false
	}
	r.i++
	return true
}

func (r *reader) space() {
	for r.next(' ') || r.next('\t') {
	}
}

func (r *reader) token() string {
	start := r.i
	for !r.done() && isTokenByte(r.s[r.i]) {
		r.i++
	}
	return r.s[start:r.i]
}

// extension reads an element and the space behind it.
func (r *reader) extension() (element, bool) {
	start := r.i
	name := r.token()
	if name == "" {
		return element{}, false
	}
	end := r.i
	for r.space(); r.next(';'); r.space() {
		if r.space(); !r.parameter() {
			return element{}, false
		}
		end = r.i
	}
	return element{name: name, text: r.s[start:end]}, true
}

func (r *reader) parameter() bool {
	if r.token() == "" {
		return false
	}
	end := r.i
	r.space()
	if !r.next('=') {
		r.i = end
		return true
	}
	r.space()
	if r.next('"') {
		return r.quoted()
	}
	return r.token() != ""
}

// quoted reads the rest of a quoted string: "the value after quoted-string
// unescaping MUST conform to the 'token' ABNF".
func (r *reader) quoted() bool {
	for n := 0; !r.done(); n++ {
		if r.next('"') {
			return n > 0
		}
		r.next('\\')
		if r.done() || !isTokenByte(r.s[r.i]) {
			return false
		}
		r.i++
	}
	return false
}
