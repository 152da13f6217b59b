package main

// A gathering brings the messages of many connections together in one place.
type gathering interface {
	// join opens a connection. What it returns passes the messages on until the
	// connection ends; it is run on a goroutine of its own.
	join(target) (pass func() error, err error)
	// each gives out one message after the other, as long as take wants more.
	each(take func(message []byte) bool)
}

// channelItems is how many messages, or batches, the one channel holds.
const channelItems = 256

// A channelled gathering has one channel for all connections.
type channelled[T any] struct {
	c    chan T
	open func(target, chan<- T) (pass func() error, err error)
	use  func(item T, take func([]byte) bool) (more bool)
}

// funnel makes gatherings. Open opens a connection whose messages go into the
// channel; use takes what came out and gives its memory back, where the library
// has a use for it.
func funnel[T any](
	open func(target, chan<- T) (func() error, error),
	use func(T, func([]byte) bool) bool,
) func() gathering {
	return func() gathering { return &channelled[T]{make(chan T, channelItems), open, use} }
}

func (g *channelled[T]) join(t target) (func() error, error) { return g.open(t, g.c) }

func (g *channelled[T]) each(take func([]byte) bool) {
	for item := range g.c {
		if !g.use(item, take) {
			return
		}
	}
}

// useBytes uses a message that is memory of its own.
func useBytes(message []byte, take func([]byte) bool) bool { return take(message) }
