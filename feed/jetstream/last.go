package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The bounds of a request for last messages. The server allows 1,024 subjects.
const (
	maxSubjects     = 1024
	maxRequestBytes = 128 << 10
	maxAnswerBytes  = 16 << 20
)

// lastOf returns the last messages of those of the feeds that have one. Any replica
// of the stream may answer, and one may be behind the others: that is found out by
// the fence of the next batch.
func (s *Store) lastOf(ctx context.Context, feeds []string) (map[string]message, error) {
	names := map[string]string{} // by subject
	var subjects []string
	for _, f := range feeds {
		subject := s.prefix + spellName(f)
		if _, twice := names[subject]; !twice {
			subjects = append(subjects, subject)
		}
		names[subject] = f
	}
	found := map[string]message{}
	for len(subjects) > 0 {
		n := fitting(subjects)
		got, whole, err := s.ask(ctx, subjects[:n])
		if err != nil {
			return nil, err
		}
		for _, m := range got {
			if f, ours := names[m.subject]; ours {
				found[f] = messageOf(f, m.sequence, m.header, m.data)
			}
		}
		subjects = remaining(subjects, n, whole, got)
	}
	return found, nil
}

// fitting returns how many of the subjects fit into a request.
func fitting(subjects []string) (n int) {
	for size := 0; n < len(subjects) && n < maxSubjects; n++ {
		size += len(subjects[n]) + len(`"",`)
		if size > maxRequestBytes && n > 0 {
			break
		}
	}
	return n
}

// remaining returns the subjects to ask for after the first n were: if the answer
// was not whole, those of them that are not in it as well.
func remaining(subjects []string, n int, whole bool, got []direct) []string {
	if whole {
		return subjects[n:]
	}
	known := map[string]bool{}
	for _, m := range got {
		known[m.subject] = true
	}
	var left []string
	for _, subject := range subjects[:n] {
		if !known[subject] {
			left = append(left, subject)
		}
	}
	return append(left, subjects[n:]...)
}

// A direct is a message that was asked for.
type direct struct {
	subject  string
	sequence uint64
	header   nats.Header
	data     []byte
}

// ask asks for the last messages of at most maxSubjects subjects. An answer that is
// not whole has some of them, in order to be no longer than maxAnswerBytes.
func (s *Store) ask(ctx context.Context, subjects []string) (got []direct, whole bool, err error) {
	ctx, cancel := s.wait(ctx)
	defer cancel()
	request, err := json.Marshal(map[string]any{"multi_last": subjects, "max_bytes": maxAnswerBytes})
	if err != nil {
		return nil, false, err
	}
	nc := s.js.Conn()
	inbox := nc.NewInbox()
	sub, err := nc.SubscribeSync(inbox)
	if err != nil {
		return nil, false, s.failed(ctx, "asking for last records", err)
	}
	defer sub.Unsubscribe()
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return nil, false, s.failed(ctx, "asking for last records", err)
	}
	if err := nc.PublishRequest(s.directSubject(), inbox, request); err != nil {
		return nil, false, s.failed(ctx, "asking for last records", err)
	}
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if errors.Is(err, nats.ErrNoResponders) {
			return nil, false, fmt.Errorf("feed/jetstream: stream %q is not there, or has no leader: %w", s.stream, err)
		}
		if err != nil {
			return nil, false, s.failed(ctx, "waiting for last records", err)
		}
		if status := m.Header.Get("Status"); status != "" {
			whole, err = readEnd(status, m.Header, len(got))
			return got, whole, err
		}
		sequence, err := strconv.ParseUint(m.Header.Get(jetstream.SequenceHeader), 10, 64)
		if err != nil {
			return nil, false, fmt.Errorf("feed/jetstream: a last record has the sequence %q", m.Header.Get(jetstream.SequenceHeader))
		}
		got = append(got, direct{m.Header.Get(jetstream.SubjectHeader), sequence, m.Header, m.Data})
	}
}

// readEnd reads the end of an answer with so many messages.
func readEnd(status string, h nats.Header, messages int) (whole bool, err error) {
	description := h.Get("Description")
	switch {
	case status == "204" && h.Get("Nats-Num-Pending") == "0", status == "404" && description == "No Results":
		return true, nil
	case status == "204" && messages > 0:
		return false, nil
	}
	return false, fmt.Errorf("feed/jetstream: the server refuses to tell of last records: %s %s", status, description)
}

// directSubject is where last messages are asked for.
func (s *Store) directSubject() string {
	o := s.js.Options()
	switch {
	case o.APIPrefix != "":
		return strings.TrimSuffix(o.APIPrefix, ".") + ".DIRECT.GET." + s.stream
	case o.Domain != "":
		return "$JS." + o.Domain + ".API.DIRECT.GET." + s.stream
	}
	return "$JS.API.DIRECT.GET." + s.stream
}
