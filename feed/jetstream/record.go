package jetstream

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wsflow/wsflow/feed"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// The headers of a stored record, beside those of NATS. A header whose field is
// empty is left out.
const (
	headerCursor  = "Wsflow-Cursor"  // spelled: % and two digits stand for a byte that a header cannot have
	headerGap     = "Wsflow-Gap"     // JSON
	headerOmitted = "Wsflow-Omitted" // the length of what was too large
)

const maxGapError = 1 << 10 // bytes of the text of a gap's error that are stored

// A gap is a stream.Gap in JSON.
type gap struct {
	From      uint64            `json:"from,omitempty"`
	To        uint64            `json:"to,omitempty"`
	Code      result.StatusCode `json:"code,omitempty"`
	Reason    string            `json:"reason,omitempty"`
	ByPeer    bool              `json:"by_peer,omitempty"`
	Sent      result.StatusCode `json:"sent,omitempty"`
	Received  result.StatusCode `json:"received,omitempty"`
	Error     string            `json:"error,omitempty"`
	Attempts  int               `json:"attempts,omitempty"`
	Lost      time.Time         `json:"lost,omitzero"`
	Down      float64           `json:"down_seconds,omitempty"`
	Continued bool              `json:"continued,omitempty"`
	Final     bool              `json:"final,omitempty"`
}

// encodeGap returns a Gap as the value of a header.
func encodeGap(g *stream.Gap) string {
	j := gap{
		From: g.From, To: g.To, Code: g.Status.Code, Reason: g.Status.Reason, ByPeer: g.Status.ByPeer,
		Sent: g.Status.Sent, Received: g.Status.Received, Attempts: g.Attempts, Lost: g.Lost,
		Down: g.Down.Seconds(), Continued: g.Continued, Final: g.Final,
	}
	if g.Status.Err != nil {
		j.Error = strings.ToValidUTF8(g.Status.Err.Error(), "\uFFFD")
		j.Error = strings.ToValidUTF8(j.Error[:min(len(j.Error), maxGapError)], "")
	}
	text, err := json.Marshal(j)
	if err != nil {
		text = []byte("{}") // a Lost beyond the year 9999
	}
	return spellHeader(string(text))
}

// decodeGap returns the Gap of a header's value, an empty one if that is not ours.
func decodeGap(value string) *stream.Gap {
	var j gap
	if json.Unmarshal([]byte(unspell(value)), &j) != nil {
		return &stream.Gap{}
	}
	g := &stream.Gap{
		From: j.From, To: j.To, Attempts: j.Attempts, Lost: j.Lost, Down: time.Duration(j.Down * float64(time.Second)),
		Continued: j.Continued, Final: j.Final,
		Status: result.Status{Code: j.Code, Reason: j.Reason, ByPeer: j.ByPeer, Sent: j.Sent, Received: j.Received},
	}
	if j.Error != "" {
		g.Status.Err = errors.New(j.Error)
	}
	return g
}

// encode returns the message of a record. Data that is too large is left out.
func (s *Store) encode(r *feed.Record) (*nats.Msg, error) {
	m := &nats.Msg{Subject: s.prefix + spellName(r.Feed), Data: r.Data, Header: nats.Header{}}
	if r.Cursor != "" {
		m.Header[headerCursor] = []string{spellHeader(r.Cursor)}
	}
	if len(m.Header.Get(headerCursor)) > maxCursor {
		return nil, &result.ArgumentError{Name: "the length of a cursor", Value: len(r.Cursor), Allowed: "up to 16384 bytes; one that a header cannot have counts three times"}
	}
	if r.Gap != nil {
		m.Header[headerGap] = []string{encodeGap(r.Gap)}
	}
	omitted := r.Omitted
	if sizeOf(m) > s.most && len(r.Data) > 0 {
		omitted, m.Data = len(r.Data), nil
	}
	if n := sizeOf(m); n > s.most {
		return nil, &result.ArgumentError{Name: "the length of the headers of a record of feed " + r.Feed, Value: n, Allowed: fmt.Sprintf("up to %d bytes, which a message of the stream may have", s.most)}
	}
	if omitted != 0 {
		m.Header[headerOmitted] = []string{strconv.Itoa(omitted)}
	}
	return m, nil
}

// sizeOf returns the bytes of a message with the headers that a batch adds, at
// most.
func sizeOf(m *nats.Msg) int {
	const batch = 256
	n := batch + len(m.Data)
	for key, values := range m.Header {
		n += len(key) + len(values[0]) + len(": \r\n")
	}
	return n
}

// decode returns the record of a message.
func decode(name string, h nats.Header, data []byte) feed.Record {
	r := feed.Record{Feed: name, Data: data, Cursor: unspell(h.Get(headerCursor))}
	if g := h.Get(headerGap); g != "" {
		r.Gap = decodeGap(g)
	}
	r.Omitted, _ = strconv.Atoi(h.Get(headerOmitted))
	return r
}
