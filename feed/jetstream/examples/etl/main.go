// Etl follows the trades of a market, makes bars of the large ones, and stores them
// in NATS JetStream: each trade counts once, although a worker dies half-way.
//
//	go run ./examples/etl
//	go run ./examples/etl -nats nats://localhost:4222
//
// It starts a server in the program itself and two workers, which share the feeds.
// Half-way it cuts one of them off, as if its machine had died: the other takes its
// feeds over. In the end it reads back what is stored, and counts.
//
// With -nats it stores on a server elsewhere, and is one worker. Start it several
// times and kill what you like: the others go on, and one that comes back takes its
// share again.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wsflow/wsflow/feed/jetstream/embedded"
)

func main() {
	url := flag.String("nats", "", "the `URL` of a NATS server; a server in the program if there is none")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	m := &market{feeds: 8, trades: 4000, pause: 5 * time.Millisecond}
	var err error
	if *url != "" {
		err = elsewhere(ctx, m, *url, log.New(os.Stdout, "", 0))
	} else {
		err = inside(ctx, m, log.New(os.Stdout, "", 0))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "etl:", err)
		os.Exit(1)
	}
}

// elsewhere is one worker, on a server elsewhere.
func elsewhere(ctx context.Context, m *market, url string, out *log.Logger) error {
	return job(ctx, m, out, 1, func() (*nats.Conn, error) { return nats.Connect(url, nats.MaxReconnects(-1)) })
}

// inside is two workers, on a server in the program.
func inside(ctx context.Context, m *market, out *log.Logger) error {
	dir, err := os.MkdirTemp("", "etl")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	server, err := embedded.Start(&embedded.Options{Dir: dir})
	if err != nil {
		return err
	}
	defer server.Close()
	return job(ctx, m, out, 2, func() (*nats.Conn, error) { return server.Connect() })
}

// job lets workers store all feeds, and counts what is stored.
func job(ctx context.Context, m *market, out *log.Logger, workers int, connect func() (*nats.Conn, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	nc, err := connect()
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	reader, err := create(ctx, js)
	if err != nil {
		return err
	}
	first := &worker{name: "worker-1", market: m, out: out}
	if err := first.start(ctx, connect); err != nil {
		return err
	}
	defer func() { // what is received is stored before the program ends
		cancel()
		<-first.ended
	}()
	if workers > 1 {
		second := &worker{name: "worker-2", market: m, out: out}
		if err := second.start(context.WithoutCancel(ctx), connect); err != nil {
			return err
		}
		if err := m.waits(ctx, reader, m.trades/2); err != nil {
			return err
		}
		out.Print("worker-2 dies")
		second.nc.Close() // nobody hears of it from now on
		<-second.ended
	}
	if err := m.waits(ctx, reader, m.trades); err != nil {
		return err
	}
	return count(ctx, m, reader, out)
}

// A tally is what was read back.
type tally struct{ bars, trades, large int }

// count reads back what is stored, and fails if a trade is missing or counts twice.
func count(ctx context.Context, m *market, reader *reading, out *log.Logger) error {
	var got tally
	for r, err := range reader.Records(ctx, m.names()...) {
		if err != nil {
			return err
		}
		var b bar
		if err := json.Unmarshal(r.Data, &b); err != nil {
			return err
		}
		got.bars++
		got.trades += b.To - b.From + 1
		got.large += b.Large
	}
	out.Printf("%d bars of %d trades are stored, %d of them large", got.bars, got.trades, got.large)
	if want := m.large(); got.trades != m.feeds*m.trades || got.large != want {
		return fmt.Errorf("there were %d trades, %d of them large", m.feeds*m.trades, want)
	}
	return nil
}
