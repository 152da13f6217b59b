package moving_test

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/coder/websocket"
)

func coderClient(ctx context.Context, url string, handle func(text string)) error {
	conn, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	conn.SetReadLimit(16 << 20)
	if err := conn.Write(ctx, websocket.MessageText, []byte("subscribe")); err != nil {
		return err
	}

	stop := context.AfterFunc(ctx, func() { conn.Close(websocket.StatusNormalClosure, "") })
	defer stop()
	alive, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	go func() { // a heartbeat
		tick := time.NewTicker(30 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-alive.Done():
				return
			}
			wait, cancel := context.WithTimeout(alive, time.Minute)
			err := conn.Ping(wait)
			cancel()
			if err != nil {
				conn.CloseNow()
				return
			}
		}
	}()

	for {
		_, data, err := conn.Read(alive)
		switch {
		case websocket.CloseStatus(err) == websocket.StatusNormalClosure:
			return nil
		case ctx.Err() != nil && errors.Is(err, net.ErrClosed):
			return nil // Close has seen the server's Close before Read has
		case err != nil:
			return err
		}
		handle(string(data))
	}
}
