package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wsflow/wsflow/feed"
	store "github.com/wsflow/wsflow/feed/jetstream"
	"github.com/wsflow/wsflow/feed/jetstream/embedded"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

const (
	feedStream   = "FEEDS"
	feedMessages = 1000 // of each feed
	feedLarge    = 500  // the number of the message that is too large to be stored
)

// feedNames are names of feeds, some of which a subject has to spell.
var feedNames = []string{"trades.btc", "trades", "a b", "日本", "wss://feed.example/*?x=1%20", ".hidden."}

// Who stores feeds in JetStream need not read them by this library: the client of NATS
// for Node.js finds each record, once, in order, with its cursor.
func TestForeignReader(t *testing.T) {
	check := exec.Command("node", "-e", "require('@nats-io/jetstream'); require('@nats-io/transport-node')")
	check.Dir = "node"
	if out, err := check.CombinedOutput(); err != nil {
		missing(t, fmt.Sprintf("the client of NATS for Node.js: %v: %s", err, lastLine(out)))
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	server, err := embedded.Start(&embedded.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	storeFeeds(ctx, t, server)

	reader := exec.CommandContext(ctx, "node", "node/feeds.js", server.URL(), feedStream)
	var errs bytes.Buffer
	reader.Stderr = &errs
	out, err := reader.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, errs.Bytes())
	}
	at := map[string]int{}
	sequence := 0
	for line := range strings.Lines(string(out)) {
		var r struct {
			Subject, Data, Cursor, Gap, Omitted string
			Sequence                            int
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if sequence++; r.Sequence != sequence {
			t.Fatalf("the sequence is %d, want %d", r.Sequence, sequence)
		}
		spelled, _ := strings.CutPrefix(r.Subject, "feeds."+feedStream+".")
		name, err := url.PathUnescape(spelled)
		if err != nil {
			t.Fatal(err)
		}
		at[name]++
		n := at[name]
		data, omitted := fmt.Sprint(name, " ", n), ""
		if n == feedLarge {
			data, omitted = "", strconv.Itoa(feedOversize)
		}
		if r.Data != data || r.Cursor != strconv.Itoa(n) || r.Omitted != omitted || r.Gap != "" {
			t.Fatalf("record %d of %q is %+v", n, name, r)
		}
	}
	for _, name := range feedNames {
		if at[name] != feedMessages {
			t.Errorf("%q has %d records, want %d", name, at[name], feedMessages)
		}
	}
	if len(at) != len(feedNames) {
		t.Errorf("there are %d feeds, want %d", len(at), len(feedNames))
	}
}

const feedOversize = 8<<20 + 1 // bytes, for the embedded server

// storeFeeds runs a job until all feeds have ended.
func storeFeeds(ctx context.Context, t *testing.T, server *embedded.Server) {
	t.Helper()
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(ctx, store.Settings(feedStream)); err != nil {
		t.Fatal(err)
	}
	s, err := store.NewStore(ctx, js, feedStream)
	if err != nil {
		t.Fatal(err)
	}
	err = feed.Run(ctx, &feed.Job{Feeds: feedNames, Open: counts, Record: counted, Store: s, Exact: true})
	if err != nil {
		t.Fatal(err)
	}
}

// counts is the Open of a job whose feeds count.
func counts(ctx context.Context, name string, _ feed.Record) (stream.Source, error) {
	relay, feeder := stream.NewRelay(nil)
	go func() { // ends with the feed
		for n := 1; n <= feedMessages; n++ {
			feeder.Put(ctx, stream.Message{Type: stream.Text, Data: fmt.Appendf(nil, "%s %d", name, n)})
		}
		feeder.End(result.Status{Code: result.StatusNormalClosure})
	}()
	return relay, nil
}

// counted is the Record of such a job.
func counted(m stream.Message) (feed.Record, bool) {
	text := m.String()
	r := feed.Record{Data: m.Data, Cursor: text[strings.LastIndex(text, " ")+1:]}
	if r.Cursor == strconv.Itoa(feedLarge) {
		r.Data = make([]byte, feedOversize)
	}
	return r, true
}
