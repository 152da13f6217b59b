package feed_test

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/wsflow/wsflow/feed"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A job stores two feeds. When it is done once more, it goes on behind what is stored.
func ExampleRun() {
	store := feed.NewMemory()
	job := &feed.Job{
		Feeds: []string{"squares", "cubes"},
		Open: func(ctx context.Context, name string, last feed.Record) (stream.Source, error) {
			return dialPowers(ctx, name, last.Cursor) // goes on behind the cursor
		},
		Record: func(m stream.Message) (feed.Record, bool) {
			number, power, _ := strings.Cut(m.String(), " ")
			return feed.Record{Data: []byte(power), Cursor: number}, true
		},
		Exact: true, // nothing is missing behind a cursor
		Store: store,
	}
	for range 2 {
		if err := feed.Run(context.Background(), job); err != nil {
			fmt.Println(err)
		}
	}
	for _, name := range store.Feeds() {
		fmt.Print(name, ":")
		for _, r := range store.Records(name) {
			fmt.Print(" ", string(r.Data))
		}
		fmt.Println()
	}
	// Output:
	// cubes: 1 8 27 64 125 216
	// squares: 1 4 9 16 25 36
}

// dialPowers connects to a server that sends three numbers behind a cursor, each with
// its power, and closes.
func dialPowers(_ context.Context, name, cursor string) (*stream.Conn, error) {
	ours, theirs := net.Pipe()
	server, err := stream.New(theirs, stream.Server, nil)
	if err != nil {
		return nil, err
	}
	n, _ := strconv.Atoi(cursor) // 0 for a feed that has no record
	go func() {                  // ends with the connection
		for i := n + 1; i <= n+3; i++ {
			power := i * i
			if name == "cubes" {
				power *= i
			}
			server.SendText(context.Background(), fmt.Sprint(i, " ", power))
		}
		server.Shutdown(context.Background(), result.StatusNormalClosure, "")
	}()
	return stream.New(ours, stream.Client, nil)
}
