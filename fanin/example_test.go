package fanin_test

import (
	"context"
	"fmt"
	"net"

	"github.com/wsflow/wsflow/fanin"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// sensor returns a connection on which these readings come.
func sensor(readings ...string) *stream.Conn {
	near, far := net.Pipe()
	conn, _ := stream.New(near, stream.Client, nil)
	server, _ := stream.New(far, stream.Server, nil)
	go func() { // a pipe holds nothing: this waits for who reads
		for _, reading := range readings {
			server.SendText(context.Background(), reading)
		}
		server.Close(result.StatusNormalClosure, "")
	}()
	return conn
}

// printAll prints what comes on all connections, until all have ended.
func printAll(ctx context.Context, conns map[string]*stream.Conn) error {
	group := fanin.New(nil)
	for name, conn := range conns {
		if _, err := group.Add(name, conn); err != nil {
			return err
		}
	}
	group.Close() // no more members: the group ends with the last of them
	for message, err := range group.All(ctx) {
		if err != nil {
			return err
		}
		if message.Type == stream.Notice { // a connection was lost, opened or ended
			continue
		}
		fmt.Println(message.Origin().Name, message)
	}
	return nil
}

func Example() {
	fmt.Println(printAll(context.Background(), map[string]*stream.Conn{
		"north": sensor("1.5"), "east": sensor("20.1"), "south": sensor("7"),
	}))
	// Unordered output:
	// north 1.5
	// east 20.1
	// south 7
	// <nil>
}

// Three connections are one stream, in which each message tells where it came from.
func ExampleNew() {
	ctx := context.Background()
	group := fanin.New(nil)
	group.Add("north", sensor("1.5", "1.6", "1.7"))
	group.Add("east", sensor("20.1", "20.2"))
	group.Add("south", sensor("7"))
	group.Close() // no more members: the group ends with the last of them

	readings := map[string]int{}
	for message, err := range group.All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if message.Type == stream.Notice { // one has ended
			continue
		}
		readings[message.Origin().Name]++
	}
	fmt.Println(readings)
	fmt.Println(group.Result().Wait(ctx))
	// Output:
	// map[east:2 north:3 south:1]
	// 1000 "" <nil>
}

// Two feeds carry the same numbered messages, and each lacks some. The group gives
// what at least one of them has.
func ExampleOptions_once() {
	ctx := context.Background()
	group := fanin.New(&fanin.Options{Distinct: func(m stream.Message) (key uint64, ok bool) {
		_, err := fmt.Sscan(m.String(), &key)
		return key, err == nil
	}})
	group.Add("a", sensor("1", "2", "4", "5"))
	group.Add("b", sensor("1", "3", "4"))
	members := group.Members()
	group.Close()

	sum := 0
	for message, err := range group.All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if message.Type != stream.Notice {
			sum++
		}
	}
	doubled := uint64(0)
	for _, m := range members {
		doubled += m.Stats().Duplicates
	}
	fmt.Println(sum, "messages, and", doubled, "copies")
	// Output:
	// 5 messages, and 2 copies
}
