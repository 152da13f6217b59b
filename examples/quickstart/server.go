package main

import (
	"log"
	"net"
	"net/http"
	"os"

	"github.com/coder/websocket"
)

// Without a URL on the command line the program talks to a server of its own,
// which sends each message back.
func init() {
	if len(os.Args) > 1 {
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go http.Serve(l, http.HandlerFunc(echo)) // ends with the program
	os.Args = append(os.Args, "ws://"+l.Addr().String())
}

func echo(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	for {
		kind, data, err := c.Read(r.Context())
		if err != nil || c.Write(r.Context(), kind, data) != nil {
			return
		}
	}
}
