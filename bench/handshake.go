package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
)

// handshake opens a connection and upgrades it, offering extensions unless
// offer is empty. It returns the extensions that the server agreed to and the
// bytes that came right after its answer.
func handshake(t target, offer string) (conn net.Conn, agreed string, rest []byte, err error) {
	conn, err = t.connect()
	if err != nil {
		return nil, "", nil, err
	}
	defer func() {
		if err != nil {
			conn.Close()
		}
	}()
	request := "GET " + t.Path + " HTTP/1.1\r\nHost: " + t.Addr + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
	if offer != "" {
		request += "Sec-WebSocket-Extensions: " + offer + "\r\n"
	}
	if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
		return nil, "", nil, err
	}
	r := bufio.NewReader(conn)
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		return nil, "", nil, err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return nil, "", nil, fmt.Errorf("bench: the server answered %s", response.Status)
	}
	rest = make([]byte, r.Buffered())
	_, err = io.ReadFull(r, rest)
	return conn, response.Header.Get("Sec-WebSocket-Extensions"), rest, err
}
