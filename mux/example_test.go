package mux_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/wsflow/wsflow/mux"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// exchange returns a connection to a server that answers "subscribe A,B" with a price
// of each, "time" with the time, and what it does not know with an error.
func exchange() *stream.Conn {
	ctx := context.Background()
	near, far := net.Pipe()
	conn, _ := stream.New(near, stream.Client, nil)
	server, _ := stream.New(far, stream.Server, nil)
	go func() { // until the connection ends
		for m := range server.All(ctx) {
			command, symbols, _ := strings.Cut(m.String(), " ")
			switch command {
			case "subscribe":
				for i, symbol := range strings.Split(symbols, ",") {
					server.SendText(ctx, fmt.Sprintf("%s=%d", symbol, 100+i))
				}
			case "time":
				server.SendText(ctx, "time=12:00")
			case "unsubscribe", "":
			default:
				server.SendText(ctx, "unknown command")
			}
		}
	}()
	return conn
}

// spell makes one message for all topics.
func spell(command string) func(topics []string) []stream.Message {
	return func(topics []string) []stream.Message {
		return []stream.Message{text(command + " " + strings.Join(topics, ","))}
	}
}

// key is what stands before "=".
func key(m stream.Message) (string, bool) {
	topic, _, ok := strings.Cut(m.String(), "=")
	return topic, ok
}

// messages makes one message for all symbols.
func messages(command string, symbols []string) []stream.Message {
	data, err := json.Marshal(map[string][]string{command: symbols})
	if err != nil {
		panic(err) // strings can be marshalled
	}
	return []stream.Message{{Type: stream.Text, Data: data}}
}

// printGold prints the prices of gold.
func printGold(ctx context.Context, source mux.Link) error {
	prices := mux.New(source, &mux.Options[string]{
		Topic: func(m stream.Message) (symbol string, ok bool) {
			var price struct{ Symbol string }
			json.Unmarshal(m.Data, &price)
			return price.Symbol, price.Symbol != ""
		},
		Subscribe:   func(symbols []string) []stream.Message { return messages("subscribe", symbols) },
		Unsubscribe: func(symbols []string) []stream.Message { return messages("unsubscribe", symbols) },
		Limiter:     mux.NewWindow(5, 1100*time.Millisecond), // the server allows 5 a second
	})
	for message, err := range prices.Topic("XAU").All(ctx) {
		if err != nil {
			return err
		}
		if message.Type == stream.Notice { // the connection was lost, or is open again
			continue
		}
		fmt.Println(message)
	}
	return nil
}

func Example() {
	ctx := context.Background()
	near, far := net.Pipe()
	conn, _ := stream.New(near, stream.Client, nil)
	server, _ := stream.New(far, stream.Server, nil)
	go func() {
		request, err := server.Receive(ctx)
		if err != nil {
			return
		}
		fmt.Println(request)
		server.SendText(ctx, `{"Symbol":"XAU","Price":100}`)
		server.Close(result.StatusNormalClosure, "")
		server.Discard()
	}()
	fmt.Println(printGold(ctx, conn))
	server.Result().Wait(ctx)
	// Output:
	// {"subscribe":["XAU"]}
	// {"Symbol":"XAU","Price":100}
	// <nil>
}

// A topic is subscribed to with its first taker, and unsubscribed from after its last.
func ExampleNew() {
	ctx := context.Background()
	conn := exchange()
	prices := mux.New(conn, &mux.Options[string]{
		Topic:       key,
		Subscribe:   spell("subscribe"),
		Unsubscribe: spell("unsubscribe"),
	})

	gold := prices.Topic("XAU").Chan(ctx, nil)
	fmt.Println(<-gold.C)
	gold.Cancel()

	for message, err := range prices.Topic("XAG").All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(message)
		break
	}
	fmt.Println(conn.Shutdown(ctx, result.StatusNormalClosure, ""))
	// Output:
	// XAU=100
	// XAG=100
	// <nil>
}

// One request, and the answer that has its key.
func ExampleMux_Call() {
	ctx := context.Background()
	conn := exchange()
	requests := mux.New(conn, &mux.Options[string]{Topic: key})

	answer, err := requests.Call(ctx, "time", text("time"))
	fmt.Println(answer, err)

	unmatched := requests.Unmatched().Chan(ctx, nil)
	conn.SendText(ctx, "what?")
	fmt.Println("unmatched:", <-unmatched.C)
	fmt.Println(conn.Shutdown(ctx, result.StatusNormalClosure, ""))
	// Output:
	// time=12:00 <nil>
	// unmatched: unknown command
	// <nil>
}
