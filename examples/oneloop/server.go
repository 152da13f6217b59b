package main

import (
	"context"
	"net"
	"net/http"

	"github.com/coder/websocket"
)

// open starts a server on a port of the local machine.
func open(h http.HandlerFunc) (url string, shut func() error, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	s := &http.Server{Handler: h}
	go s.Serve(l) // ends with shut
	return "ws://" + l.Addr().String(), s.Close, nil
}

// echo sends every message back.
func echo(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer c.CloseNow()
	for ctx := context.Background(); ; {
		kind, data, err := c.Read(ctx)
		if err != nil || c.Write(ctx, kind, data) != nil {
			return
		}
	}
}
