package stream

import (
	"net/http"
	"slices"
	"time"

	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/result"
	"go.uber.org/zap"
)

// Options are the options of a connection. A nil pointer and zero fields mean
// the defaults. A negative number means no bound where the field says so, and is
// refused otherwise. Options are never modified and may be used for many
// connections.
type Options struct {
	// Operators stand between messages and frames, first nearest the
	// application. They are attached as they are: an extension among them must
	// have been agreed on in the opening handshake.
	Operators []Operator
	// Subprotocol is what the opening handshake agreed on; Conn.Subprotocol
	// returns it.
	Subprotocol string
	// Header is the header of the peer's side of the opening handshake;
	// Conn.Header returns it. It is copied.
	Header http.Header
	// Buffered are bytes that were received behind the opening handshake. They
	// are read before the transport. They are copied.
	Buffered []byte

	// SizeLimit is the largest message that is assembled, in bytes, measured
	// after the operators. A larger one fails the connection with 1009. Zero
	// means 16 MiB; negative means no bound. Conn.Reader is not limited.
	SizeLimit int64
	// FragmentSize is the largest frame that is sent, in bytes of payload; a
	// larger message is sent in fragments, and control frames go between them.
	// Zero means 128 KiB; negative means no bound, and each Send makes one frame.
	// A Writer always sends fragments.
	FragmentSize int
	// LookAhead is how many bytes are read ahead, in search of control frames,
	// while the consumer is away. Zero means 1 MiB.
	LookAhead int
	// CloseTimeout bounds the closing handshake, and then the wait for the end
	// of the transport. Zero means 5 s.
	CloseTimeout time.Duration
	// SuccessCodes are close codes of the peer that count as success beside
	// 1000, 1005 and the code that the program gave to Close.
	SuccessCodes []result.StatusCode

	// Logger gets warnings. Nil means silence.
	Logger *zap.Logger
	// Post hands a function to an event loop, such as a GUI's call on its main
	// thread. The callbacks and the promise's continuations run there. The loop
	// runs them one at a time, in the order in which they were posted; Post
	// should not wait for them. Reading is held back until a callback has run.
	// Nil means a goroutine of the connection.
	Post func(func())
}

const (
	defaultSizeLimit    = 16 << 20
	defaultFragmentSize = 128 << 10
	defaultLookAhead    = 1 << 20
	defaultCloseTimeout = 5 * time.Second
)

// complete returns a copy of the options in which defaults stand for zeros.
func (o *Options) complete() (Options, error) {
	var all Options
	if o != nil {
		all = *o
	}
	if all.LookAhead < 0 {
		return all, &result.ArgumentError{Name: "stream.Options.LookAhead", Value: all.LookAhead, Allowed: "a number of bytes, or 0 for 1 MiB"}
	}
	if all.CloseTimeout < 0 {
		return all, &result.ArgumentError{Name: "stream.Options.CloseTimeout", Value: all.CloseTimeout, Allowed: "a duration, or 0 for 5 s"}
	}
	for _, code := range all.SuccessCodes {
		if !code.Sendable() {
			return all, &result.ArgumentError{Name: "stream.Options.SuccessCodes", Value: int(code), Allowed: check.Codes}
		}
	}
	all.SuccessCodes = slices.Clone(all.SuccessCodes)
	setDefault(&all.SizeLimit, defaultSizeLimit)
	setDefault(&all.FragmentSize, defaultFragmentSize)
	setDefault(&all.LookAhead, defaultLookAhead)
	setDefault(&all.CloseTimeout, defaultCloseTimeout)
	if all.Logger == nil {
		all.Logger = silent
	}
	return all, nil
}

// lasting are the options that a connection needs for as long as it lives.
type lasting struct {
	subprotocol  string
	closeTimeout time.Duration
	good         []result.StatusCode // SuccessCodes
	logger       *zap.Logger
	post         func(func())
}

// usual is what most connections share.
var usual = lasting{closeTimeout: defaultCloseTimeout, logger: silent}

func (o *Options) lasting() *lasting {
	if o.Subprotocol == "" && o.CloseTimeout == defaultCloseTimeout && o.SuccessCodes == nil && o.Logger == silent && o.Post == nil {
		return &usual
	}
	return &lasting{o.Subprotocol, o.CloseTimeout, o.SuccessCodes, o.Logger, o.Post}
}

var silent = zap.NewNop()

func setDefault[T int | int64 | time.Duration](v *T, to T) {
	if *v == 0 {
		*v = to
	}
}
