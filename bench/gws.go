package main

import "github.com/lxzan/gws"

// gwsLibrary has gws' own settings; gwsTuned a larger read buffer. The rest of
// what there is to tune is set in both: callbacks run on the reader's
// goroutine, and messages go back to gws' pool.
var (
	gwsLibrary = gwsWith("gws", peer, 0)
	gwsTuned   = gwsWith("gws, 64 KiB buffer", tuned, 64<<10)
)

func gwsWith(name string, kind kind, readBuffer int) *library {
	g := gwsSettings{readBuffer}
	return &library{name: name, kind: kind, receive: g.receive, send: g.send, echo: g.echo, hold: g.hold, gather: g.gather()}
}

type gwsSettings struct{ readBuffer int }

// gwsEvents hands each message to a function, which says whether to go on.
type gwsEvents struct {
	gws.BuiltinEventHandler
	more func(*gws.Conn, []byte) bool
	done bool  // more has said no
	err  error // what ended the connection before that
}

func (e *gwsEvents) OnMessage(conn *gws.Conn, message *gws.Message) {
	if !e.done && !e.more(conn, message.Bytes()) {
		e.done = true
		conn.NetConn().Close()
	}
	message.Close()
}

func (e *gwsEvents) OnClose(_ *gws.Conn, err error) {
	if !e.done {
		e.err = err
	}
}

func (g gwsSettings) dial(t target, events gws.Event) (*gws.Conn, error) {
	options := &gws.ClientOption{
		Addr:             t.url(),
		TlsConfig:        t.TLS,
		ReadBufferSize:   g.readBuffer,
		CheckUtf8Enabled: t.Text,
	}
	if t.Deflate != deflateOff {
		options.PermessageDeflate = gws.PermessageDeflate{
			Enabled:               true,
			Threshold:             1,
			ServerContextTakeover: t.Deflate == deflateTakeover,
			ClientContextTakeover: t.Deflate == deflateTakeover,
		}
	}
	conn, _, err := gws.NewClient(events, options)
	return conn, err
}

func gwsOpcode(t target) gws.Opcode {
	if t.Text {
		return gws.OpcodeText
	}
	return gws.OpcodeBinary
}

func (g gwsSettings) receive(t target, tally *tally) error {
	events := &gwsEvents{more: func(_ *gws.Conn, message []byte) bool { return tally.take(message) }}
	conn, err := g.dial(t, events)
	if err != nil {
		return err
	}
	conn.ReadLoop()
	return events.err
}

func (g gwsSettings) send(t target, deck *deck, tally *tally) error {
	conn, err := g.dial(t, &gwsEvents{})
	if err != nil {
		return err
	}
	defer conn.NetConn().Close()
	for {
		message := deck.next()
		if err := conn.WriteMessage(gwsOpcode(t), message); err != nil {
			return err
		}
		if !tally.take(message) {
			return nil
		}
	}
}

// echo writes the next message from inside the callback that has the last.
func (g gwsSettings) echo(t target, message []byte, tally *tally) error {
	events := &gwsEvents{more: func(conn *gws.Conn, back []byte) bool {
		return tally.take(back) && conn.WriteMessage(gwsOpcode(t), message) == nil
	}}
	conn, err := g.dial(t, events)
	if err != nil {
		return err
	}
	if err := conn.WriteMessage(gwsOpcode(t), message); err != nil {
		return err
	}
	conn.ReadLoop()
	return events.err
}

func (g gwsSettings) hold(t target, first [][]byte) (func() error, error) {
	events := &gwsEvents{more: func(*gws.Conn, []byte) bool { return true }}
	conn, err := g.dial(t, events)
	for i := 0; err == nil && i < len(first); i++ {
		err = conn.WriteMessage(gwsOpcode(t), first[i])
	}
	return func() error {
		conn.ReadLoop()
		return events.err
	}, err
}

// gwsForward hands on each message with its memory.
type gwsForward struct {
	gws.BuiltinEventHandler
	to  chan<- *gws.Message
	err error // what ended the connection
}

func (f *gwsForward) OnMessage(_ *gws.Conn, message *gws.Message) { f.to <- message }

func (f *gwsForward) OnClose(_ *gws.Conn, err error) { f.err = err }

func (g gwsSettings) gather() func() gathering {
	open := func(t target, c chan<- *gws.Message) (func() error, error) {
		events := &gwsForward{to: c}
		conn, err := g.dial(t, events)
		return func() error {
			conn.ReadLoop()
			return events.err
		}, err
	}
	return funnel(open, func(message *gws.Message, take func([]byte) bool) bool {
		more := take(message.Bytes())
		message.Close()
		return more
	})
}
