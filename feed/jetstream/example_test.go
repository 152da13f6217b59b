package jetstream_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wsflow/wsflow/feed"
	store "github.com/wsflow/wsflow/feed/jetstream"
	"github.com/wsflow/wsflow/feed/jetstream/embedded"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// storeSquares stores a feed in a folder, with a server in the program itself, and
// prints what the folder has then.
func storeSquares(ctx context.Context, folder string) error {
	server, err := embedded.Start(&embedded.Options{Dir: folder})
	if err != nil {
		return err
	}
	defer server.Close()
	nc, err := server.Connect()
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	if _, err := js.CreateOrUpdateStream(ctx, store.Settings("NUMBERS")); err != nil {
		return err
	}
	numbers, err := store.NewStore(ctx, js, "NUMBERS")
	if err != nil {
		return err
	}
	err = feed.Run(ctx, &feed.Job{
		Feeds:  []string{"squares"},
		Open:   dialSquares, // goes on behind the cursor of the last record
		Record: record,
		Exact:  true, // nothing is missing behind a cursor
		Store:  numbers,
	})
	if err != nil {
		return err
	}
	fmt.Print("stored:")
	for r, err := range numbers.Records(ctx, "squares") {
		if err != nil {
			return err
		}
		fmt.Print(" ", string(r.Data))
	}
	fmt.Println()
	return nil
}

// record makes a record of a message such as "3 9".
func record(m stream.Message) (feed.Record, bool) {
	number, square, ok := strings.Cut(m.String(), " ")
	return feed.Record{Data: []byte(square), Cursor: number}, ok
}

// dialSquares connects to a server that sends two numbers behind a cursor, each with its
// square, and closes with success.
func dialSquares(_ context.Context, _ string, last feed.Record) (stream.Source, error) {
	ours, theirs := net.Pipe()
	server, err := stream.New(theirs, stream.Server, nil)
	if err != nil {
		return nil, err
	}
	n, _ := strconv.Atoi(last.Cursor) // 0 for a feed that has no record
	go func() {                       // ends with the connection
		for i := n + 1; i <= n+2; i++ {
			server.SendText(context.Background(), fmt.Sprint(i, " ", i*i))
		}
		server.Shutdown(context.Background(), result.StatusNormalClosure, "")
	}()
	return stream.New(ours, stream.Client, nil)
}

// The second run goes on behind what the first one has stored.
func Example() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	for range 2 {
		if err := storeSquares(context.Background(), folder); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// stored: 1 4
	// stored: 1 4 9 16
}
