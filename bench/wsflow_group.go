package main

import (
	"context"
	"strconv"
	"sync/atomic"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/fanin"
	"github.com/wsflow/wsflow/stream"
)

// A wsflowGrouped is a group of connections: what brings their messages together is
// wsflow's, and not a goroutine for each.
type wsflowGrouped struct {
	group   *fanin.Group
	batches *stream.Subscription[[]stream.Message]
	named   atomic.Int64
}

func wsflowGatherGroup() gathering {
	g := &wsflowGrouped{group: fanin.New(nil)}
	g.batches = g.group.Batches(context.Background(), &stream.SubscribeOptions{Size: channelItems})
	return g
}

// join adds a connection, and waits for its end.
func (g *wsflowGrouped) join(t target) (func() error, error) {
	conn, err := dial.Dial(context.Background(), t.url(), &dial.Options{TLSConfig: t.TLS})
	if err != nil {
		return nil, err
	}
	m, err := g.group.Add(strconv.FormatInt(g.named.Add(1), 10), conn)
	return func() error {
		_, err := m.Result().Wait(context.Background())
		return err
	}, err
}

func (g *wsflowGrouped) each(take func([]byte) bool) {
	for batch := range g.batches.C {
		if batch[0].Type != stream.Notice && !wsflowUseBatch(batch, take) {
			return
		}
	}
}
