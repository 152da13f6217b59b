// Package redial makes one lasting source of messages out of connections that do not
// last. It dials again when a connection is lost, and says in the stream, where it
// belongs, that something may be missing there:
//
//	src := dial.Redial(ctx, url, nil, nil)
//	for message, err := range src.All(ctx) {
//		if err != nil {
//			return err // the source has given up, or ctx has ended
//		}
//		if gap := message.Gap(); gap != nil {
//			fmt.Println("from connection", gap.From, "to", gap.To)
//			continue
//		}
//		fmt.Println(message)
//	}
//	return nil // the server has no more to say
//
// A [Source] is taken from in each way in which a connection is: by All, Chan,
// Batches, Observable and callbacks. Between the messages of two connections stand two
// messages of the type [stream.Notice], with a [stream.Gap]: one behind the last message
// of the former connection, with To 0, and one when the next connection is open.
// OnText and OnBinary are called with messages alone; OnGap gives the gaps.
//
// # From connection to connection
//
//	waiting ---> dialing ---> opening ---> open
//	   ^            |            |           |  the connection has ended,
//	   |            v            v           v  and all its messages were taken
//	   +----------------------- lost <-------+
//
//	waiting   for the time that Options.Retry has named; at first there is none
//	dialing   for Options.Limiter, then the dial
//	opening   Options.Open logs in, subscribes, asks to resume
//	open      messages are handed on; Send sends
//	lost      Options.Retry is asked; where a connection was lost, the Notice comes
//
// From everywhere the source may end: when the program closes it or its context ends,
// when the server closes with success, and when Retry says no. Then the stream ends
// as that of a connection does, with an *[Error] if the source gave up.
//
// The order of what happens is fixed. All messages of the lost connection are shown to
// Options.Seen and handed on. The Notice with To 0 follows, then waits, dials and Open.
// Then the source is open: Sinks begin with what they carried, and the Notice that
// names the new connection comes before its messages. So Open knows exactly how far the
// program has come. Gap.Lost and Gap.Down count from the moment at which the connection
// had ended and its messages were taken.
//
// # An exact cursor
//
// Where a server can resume, Seen notes how far the program has come, and Open asks to
// go on there. Nothing is lost, doubled or out of order then, whatever happens to the
// connections. Seen and Open never run at the same time: what they share needs no lock.
//
//	last := 0
//	src := redial.New(ctx, dials, &redial.Options{
//		Seen: func(m stream.Message) { fmt.Sscan(m.String(), &last) },
//		Open: func(ctx context.Context, conn *stream.Conn, gap *stream.Gap) (continued bool, err error) {
//			return true, conn.SendText(ctx, fmt.Sprint(last))
//		},
//		Retry: redial.Backoff(time.Millisecond, time.Second),
//	})
//
// An Open that waits for the server's answer takes it with conn.Receive, and vouches for
// what the answer says: Gap.Continued is what Open returned.
//
// # What is dialed again
//
// By default a source dials again after every failure that is not [Final]. Close
// codes from 3000 on mean what the server says, and some servers close with 1000 to
// restart. These are functions for Options.Retry, where backoff is Backoff(0, 0):
//
//	// A server that closes with 1000 to restart.
//	restarts := func(n int, err error) (time.Duration, bool) {
//		if err == nil {
//			err = errRestart
//		}
//		return backoff(n, err)
//	}
//
//	// Centrifugo: codes from 3500 to 3999 and from 4500 to 4999 are final.
//	// https://centrifugal.dev/docs/server/codes
//	centrifugo := func(n int, err error) (time.Duration, bool) {
//		var closed *result.CloseError
//		if errors.As(err, &closed) && closed.Code >= 3500 && closed.Code%1000 >= 500 {
//			return 0, false
//		}
//		return backoff(n, err)
//	}
//
//	// Pusher: 4000 to 4099 are final, 4200 to 4299 want to be dialed at once.
//	// https://pusher.com/docs/channels/library_auth_reference/pusher-websockets-protocol
//	pusher := func(n int, err error) (time.Duration, bool) {
//		var closed *result.CloseError
//		if errors.As(err, &closed) && closed.Code/100 == 40 {
//			return 0, false
//		}
//		wait, again := backoff(n, err)
//		if closed != nil && closed.Code/100 == 42 && n == 1 {
//			wait = 0
//		}
//		return wait, again
//	}
//
// # Traps
//
//   - A slow taker delays the next connection, which is made when the messages of the
//     last one have been taken. A taker that may lose some chooses a policy that drops.
//   - The body of a loop, or a callback, must not wait for [Source.Ready], as the next
//     connection waits for the body. Send does not wait in a gap: it returns [ErrGap].
//   - A policy that drops messages may drop Notices as well. Then only the Epoch of the
//     next message's [stream.Origin] tells that the connection is another one.
//   - A program that only sends takes messages all the same, or those that the server
//     sends hold everything up: a loop over All with an empty body will do.
//   - A Pong proves that the server lives, not that its feed does: see Options.DataTimeout.
package redial
