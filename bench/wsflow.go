package main

import (
	"context"
	"strings"

	"github.com/wsflow/wsflow/deflate"
	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// wsflow's ways to take and to send, each with the heartbeat that a dialed
// connection has unless it is told otherwise.
var (
	wsflowAll = &library{
		name: "wsflow All", kind: ours,
		receive: wsflowRange, echo: wsflowEcho, hold: wsflowHold, gather: wsflowGatherAll,
	}
	wsflowChan = &library{
		name: "wsflow Chan", kind: ours,
		receive: wsflowTake, hold: wsflowHoldChan, gather: wsflowGatherChan,
	}
	wsflowBatches = &library{
		name: "wsflow Batches", kind: ours,
		receive: wsflowTakeBatches, hold: wsflowHoldBatches, gather: wsflowGatherBatches,
	}
	wsflowCallbacks = &library{
		name: "wsflow OnBinary", kind: ours,
		hold: wsflowHoldCallbacks, gather: wsflowGatherCallbacks,
	}
	wsflowGroup = &library{name: "wsflow Group", kind: ours, gather: wsflowGatherGroup}

	wsflowSend = &library{name: "wsflow Send", kind: ours, send: wsflowSendEach}
	wsflowSink = &library{name: "wsflow Sink", kind: ours, send: wsflowSendSink}

	// wsflowBare has no operator at all.
	wsflowBare = &library{name: "wsflow, no operator", kind: ours, hold: wsflowHoldBare}
)

// wsflowHeartbeat is one for all connections, as dial's is.
var wsflowHeartbeat = heartbeat.New(nil)

// wsflowDial opens a connection with a heartbeat and, where the target asks
// for it, with deflate.
func wsflowDial(t target) (*stream.Conn, error) {
	return wsflowOpen(t, wsflowHeartbeat)
}

func wsflowOpen(t target, operators ...stream.Operator) (*stream.Conn, error) {
	offer := ""
	var extension *deflate.Operator
	if t.Deflate != deflateOff {
		extension = wsflowDeflate(t.Deflate)
		offer = strings.Join(extension.Offers(), ", ")
	}
	conn, agreed, rest, err := handshake(t, offer)
	if err != nil {
		return nil, err
	}
	if extension != nil {
		accepted, err := extension.Accept(agreed)
		if err != nil {
			return nil, err
		}
		operators = append([]stream.Operator{accepted}, operators...)
	}
	return stream.New(conn, stream.Client, &stream.Options{Operators: operators, Buffered: rest, SizeLimit: -1})
}

// wsflowDeflate compresses everything, as fast as it can.
func wsflowDeflate(mode compression) *deflate.Operator {
	options := &deflate.Options{Threshold: -1, Level: 1}
	if mode == deflateFresh {
		options.Setups = []deflate.Setup{{LocalContextMode: deflate.NoTakeover, PeerContextMode: deflate.NoTakeover}}
	}
	return deflate.New(options)
}

func wsflowMessage(t target, data []byte) stream.Message {
	if t.Text {
		return stream.Message{Type: stream.Text, Data: data}
	}
	return stream.Message{Type: stream.Binary, Data: data}
}

func wsflowRange(t target, tally *tally) error {
	conn, err := wsflowDial(t)
	if err != nil {
		return err
	}
	defer conn.CloseNow(nil)
	for message, err := range conn.All(context.Background()) {
		if err != nil {
			return err
		}
		if !tally.take(message.Data) {
			break
		}
	}
	return nil
}

func wsflowTake(t target, tally *tally) error {
	conn, err := wsflowDial(t)
	if err != nil {
		return err
	}
	defer conn.CloseNow(nil)
	messages := conn.Chan(context.Background(), nil)
	for message := range messages.C {
		more := tally.take(message.Data)
		message.Release()
		if !more {
			return nil
		}
	}
	return messages.Err()
}

func wsflowTakeBatches(t target, tally *tally) error {
	conn, err := wsflowDial(t)
	if err != nil {
		return err
	}
	defer conn.CloseNow(nil)
	batches := conn.Batches(context.Background(), nil)
	for batch := range batches.C {
		for _, message := range batch {
			more := tally.take(message.Data)
			message.Release()
			if !more {
				return nil
			}
		}
	}
	return batches.Err()
}

func wsflowSendEach(t target, deck *deck, tally *tally) error {
	conn, err := wsflowDial(t)
	if err != nil {
		return err
	}
	for {
		message := deck.next()
		if err := conn.Send(context.Background(), wsflowMessage(t, message)); err != nil {
			return err
		}
		if !tally.take(message) {
			break
		}
	}
	return wsflowFinish(conn)
}

func wsflowSendSink(t target, deck *deck, tally *tally) error {
	conn, err := wsflowDial(t)
	if err != nil {
		return err
	}
	sink := conn.Sink(context.Background(), &stream.SinkOptions{CloseConn: true})
	for {
		message := deck.next()
		sink <- wsflowMessage(t, message)
		if !tally.take(message) {
			break
		}
	}
	close(sink)
	<-conn.Done()
	return nil
}

// wsflowFinish closes a connection on which everything is to arrive.
func wsflowFinish(conn *stream.Conn) error {
	if err := conn.Close(result.StatusNormalClosure, ""); err != nil {
		return err
	}
	<-conn.Done()
	return nil
}

func wsflowEcho(t target, message []byte, tally *tally) error {
	conn, err := wsflowDial(t)
	if err != nil {
		return err
	}
	defer conn.CloseNow(nil)
	ctx := context.Background()
	if err := conn.SendBinary(ctx, message); err != nil {
		return err
	}
	for back, err := range conn.All(ctx) {
		if err != nil {
			return err
		}
		if !tally.take(back.Data) {
			break
		}
		if err := conn.SendBinary(ctx, message); err != nil {
			return err
		}
	}
	return nil
}
