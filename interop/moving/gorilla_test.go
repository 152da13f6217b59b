package moving_test

import (
	"context"
	"time"

	"github.com/gorilla/websocket"
)

func gorillaClient(ctx context.Context, url string, handle func(text string)) error {
	conn, _, err := websocket.DefaultDialer.DialContext(ctx, url, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetReadLimit(16 << 20)
	if err := conn.WriteMessage(websocket.TextMessage, []byte("subscribe")); err != nil {
		return err
	}

	const patience = time.Minute
	conn.SetReadDeadline(time.Now().Add(patience))
	conn.SetPongHandler(func(string) error { return conn.SetReadDeadline(time.Now().Add(patience)) })
	end := make(chan struct{})
	defer close(end)
	go func() { // a heartbeat, and the Close when ctx ends
		tick := time.NewTicker(30 * time.Second)
		defer tick.Stop()
		for {
			soon := time.Now().Add(5 * time.Second)
			select {
			case <-tick.C:
				conn.WriteControl(websocket.PingMessage, nil, soon)
			case <-ctx.Done():
				goodbye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
				conn.WriteControl(websocket.CloseMessage, goodbye, soon)
				conn.SetReadDeadline(soon)
				return
			case <-end:
				return
			}
		}
	}()

	for {
		_, data, err := conn.ReadMessage()
		switch {
		case websocket.IsCloseError(err, websocket.CloseNormalClosure):
			return nil
		case err != nil:
			return err
		}
		handle(string(data))
	}
}
