package moving_test

import (
	"context"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/result"
)

func wsflowClient(ctx context.Context, url string, handle func(text string)) error {
	conn, err := dial.Dial(ctx, url, nil)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close(result.StatusNormalClosure, "") })
	defer stop()
	if err := conn.SendText(ctx, "subscribe"); err != nil {
		return err
	}
	for message, err := range conn.All(context.WithoutCancel(ctx)) {
		if err != nil {
			return err
		}
		handle(message.String())
	}
	return nil
}
