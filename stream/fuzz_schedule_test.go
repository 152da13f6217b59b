package stream_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

const (
	mostEvents = 48
	never      = time.Duration(1<<63 - 1)
	seenWithin = time.Second     // what comes while the consumer is away is seen by then
	closeTime  = 5 * time.Second // the default of Options.CloseTimeout
)

// A schedule is a connection to which things happen, and a note of what
// happened when. Times count from its start.
type schedule struct {
	t     *testing.T
	p     *script.Peer
	start time.Time

	takers  takers
	paused  []func()
	writing chan struct{} // closing it ends the Writer's message
	deaf    bool          // the peer does not read
	hard    bool          // it was so, or the wire was kept busy, at some time
	open    bool          // the peer has begun a message

	sent    []sentMessage // by the peer, before its end
	peerEnd string        // "close", "breach" or "cut", once one of them happened
	code    int           // of the peer's Close
	at      struct{ peerEnd, weClose, closeNow, end time.Duration }
	looked  time.Duration // when a taker came last: nobody was away then
	taken   int           // messages, a while before the connection is cut
	closes  int           // calls of Close that began something
	ends    int
}

type sentMessage struct {
	text string
	at   time.Duration
}

func (s *schedule) now() time.Duration { return time.Since(s.start) }

// fuzzEvents are what a byte's lower half chooses from; its upper half is the
// argument.
var fuzzEvents = [16]func(s *schedule, arg int){
	func(s *schedule, _ int) { synctest.Wait() },
	func(s *schedule, arg int) { time.Sleep(passes[arg]) },
	(*schedule).weClose,
	(*schedule).peerCloses,
	func(s *schedule, _ int) { s.data() },
	func(s *schedule, _ int) { s.fragment() },
	func(s *schedule, arg int) { s.p.Sends(script.Ping(fmt.Sprint(arg))) },
	(*schedule).breach,
	func(s *schedule, _ int) { s.peerEnds("cut"); s.p.Cuts() },
	func(s *schedule, _ int) { s.paused = append(s.paused, s.p.Conn.Pause()) },
	(*schedule).resume,
	func(s *schedule, arg int) { s.takers.cancel(arg) },
	(*schedule).take,
	(*schedule).closeNow,
	(*schedule).send,
	(*schedule).turnDeaf,
}

var passes = [16]time.Duration{
	time.Nanosecond, time.Millisecond, 10 * time.Millisecond, 500 * time.Millisecond, 899 * time.Millisecond,
	900 * time.Millisecond, 901 * time.Millisecond, time.Second, 1001 * time.Millisecond, 2 * time.Second,
	4 * time.Second, closeTime - 1, closeTime, closeTime + 1, 10 * time.Second, time.Minute,
}

func (s *schedule) weClose(int) {
	err := s.p.Conn.Close(1000, "ours")
	switch {
	case err == nil:
		s.closes++
		s.at.weClose = min(s.at.weClose, s.now())
	case !errors.Is(err, net.ErrClosed):
		s.t.Errorf("Close returned %v", err)
	}
}

// peerEnds notes the first thing of the peer's that ends the connection.
func (s *schedule) peerEnds(how string) {
	if s.peerEnd == "" {
		s.peerEnd, s.at.peerEnd = how, s.now()
	}
}

func (s *schedule) peerCloses(arg int) {
	frame, code := script.CloseEmpty(), 1005
	if i := arg % 3; i > 0 {
		code = []int{0, 1000, 4001}[i]
		frame = script.Close(code, "theirs")
	}
	if s.peerEnd == "" {
		s.code = code
	}
	s.peerEnds("close")
	s.p.Sends(frame)
}

func (s *schedule) breach(arg int) {
	s.peerEnds("breach")
	s.p.Sends([]script.Frame{
		script.Of(3, ""), script.Ping("").Open(), script.Pong("").Reserved(1), script.Binary("").In16(),
	}[arg%4])
}

func (s *schedule) take(int) {
	s.looked = s.now()
	s.takers.add(s.p.Conn)
}

// data is a message, or if one is open its end.
func (s *schedule) data() {
	if s.open {
		s.fragment()
		return
	}
	text := fmt.Sprint("message ", len(s.sent))
	s.p.Sends(script.Text(text))
	s.came(text)
}

func (s *schedule) fragment() {
	text := fmt.Sprint("fragments ", len(s.sent))
	if s.open = !s.open; s.open {
		s.p.Sends(script.Text(text[:4]).Open(), script.More(""))
		return
	}
	s.p.Sends(script.Last(text[4:]))
	s.came(text)
}

func (s *schedule) came(text string) {
	if s.peerEnd == "" {
		s.sent = append(s.sent, sentMessage{text, s.now()})
	}
}

func (s *schedule) resume(arg int) {
	if len(s.paused) > 0 {
		s.paused[arg%len(s.paused)]()
	}
}

func (s *schedule) closeNow(int) {
	s.at.closeNow = min(s.at.closeNow, s.now())
	s.p.Conn.CloseNow(errTest)
}

func (s *schedule) send(arg int) {
	c := s.p.Conn
	switch arg % 4 {
	case 0:
		go c.SendText(ctx, "small")
	case 1:
		s.hard = true
		go c.SendBinary(ctx, make([]byte, 200000))
	case 2:
		sink := c.Sink(ctx, nil)
		sink <- text("in a sink")
		close(sink)
	case 3:
		s.hard = true
		s.write()
	}
}

// write goes on with a Writer: it begins a message, and ends it the next time.
func (s *schedule) write() {
	if s.writing != nil {
		close(s.writing)
		s.writing = nil
		return
	}
	done := make(chan struct{})
	s.writing = done
	go func() {
		if w, err := s.p.Conn.Writer(ctx, stream.Text); err == nil {
			w.Write([]byte(letters(20000)))
			<-done
			w.Close()
		}
	}()
}

func (s *schedule) turnDeaf(int) {
	s.hard = true
	if s.deaf = !s.deaf; s.deaf {
		s.p.StopsReading()
	} else {
		s.p.ReadsOn()
	}
}

// FuzzSchedule lets things happen to a connection in any order and at any time.
// Whatever happens, it ends once, in time, with what the peer's bytes and this
// side's calls make of it, and gives every message that came before.
func FuzzSchedule(f *testing.F) {
	const wait, pass, second, minute = 0x00, 0x01, 0x71, 0xF1
	const weClose, peerCloses, data, fragment, breach, cut = 0x02, 0x23, 0x04, 0x05, 0x07, 0x08
	const pause, resume, cancel, take, closeNow, send, deaf = 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1E, 0x0F
	for how := range byte(16) {
		f.Add([]byte{how, data, wait, data, weClose, data, second, peerCloses})
		f.Add([]byte{how, data, pause, data, second, peerCloses, minute, resume, data})
		f.Add([]byte{how, take, data, fragment, cancel, data, second, take, breach, second, weClose})
		f.Add([]byte{how, deaf, send, send, weClose, second, peerCloses, second, closeNow})
		f.Add([]byte{how, deaf, 0x3E, data, weClose, minute, peerCloses})
		f.Add([]byte{how, data, weClose, 0xC1, peerCloses, data})
		f.Add([]byte{how, pause, 0x2E, 0x2E, data, weClose, pass, cut, second, resume})
		f.Add([]byte{how, data, data, closeNow, weClose, peerCloses, cut})
		f.Add([]byte{how, deaf, send, peerCloses, minute, data})
		f.Add([]byte{how, pause, data, data, second, resume})
		f.Add([]byte{how, data, second, second, cancel, wait, peerCloses, minute})
		f.Add([]byte{how, send, deaf, peerCloses, 0x41, deaf, cut, take, take, cancel, send})
	}
	// Somebody comes and goes twice during pauses, with messages at hand.
	f.Add([]byte{6, data, data, data, second, pause, take, cancel, wait, resume, wait,
		pause, take, wait, second, cancel | 0x10, wait, resume | 0x10, wait, minute})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 || len(b) > mostEvents {
			t.Skip("no events, or too many")
		}
		synctest.Test(t, func(t *testing.T) { runSchedule(t, b[0], b[1:]) })
	})
}

// runSchedule lets the events happen, then lets go of everything, and judges.
func runSchedule(t *testing.T, how byte, events []byte) {
	var wrap func(net.Conn) io.ReadWriteCloser
	if how&8 != 0 {
		wrap = func(nc net.Conn) io.ReadWriteCloser { return struct{ io.ReadWriteCloser }{nc} }
	}
	s := &schedule{t: t, start: time.Now(), p: script.Start(t, sides[how&1].role, nil, wrap)}
	s.at.peerEnd, s.at.weClose, s.at.closeNow, s.at.end = never, never, never, never
	s.takers.shared = how&2 != 0
	if how&4 == 0 {
		s.takers.add(s.p.Conn)
	}
	ended := func() { s.ends++; s.at.end = s.now() }
	s.p.Conn.Result().Then(func(result.Status) { ended() }, func(error) { ended() })
	for _, e := range events {
		fuzzEvents[e&15](s, int(e>>4))
	}
	time.Sleep(time.Minute)
	s.letGo()
	time.Sleep(time.Minute)
	synctest.Wait()
	s.taken = s.takers.count()
	s.peerEnds("cut")
	s.p.Cuts()
	got := status(t, s.p.Conn)
	s.takers.ends(t, s.p.Conn)
	synctest.Wait()
	if s.ends != 1 {
		t.Errorf("ended %d times", s.ends)
	}
	if why := s.wrong(got); why != "" {
		t.Errorf("%s; ended at %v with %+v; the peer: %s at %v; Close at %v, CloseNow at %v",
			why, s.at.end, got, s.peerEnd, s.at.peerEnd, s.at.weClose, s.at.closeNow)
	}
	s.deliveries(t, got)
	if err := s.p.Conn.SendText(ctx, "late"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Send after the end returns %v", err)
	}
}

// letGo undoes what holds the connection up.
func (s *schedule) letGo() {
	if s.writing != nil {
		close(s.writing)
	}
	s.p.ReadsOn()
	for _, resume := range s.paused {
		resume()
	}
}

// wrong returns what is wrong with the status, or "".
func (s *schedule) wrong(got result.Status) string {
	at := s.at
	seen := at.peerEnd + min(seenWithin, never-at.peerEnd)
	if s.looked <= at.end {
		seen = max(seen, s.looked+seenWithin)
	}
	late := at.weClose + min(closeTime, never-at.weClose)
	closed := got.Received != 0
	switch {
	case s.closes > 1:
		return "Close succeeded more than once"
	case at.end > at.closeNow || at.end > late || at.end > seen+min(closeTime, never-seen):
		return "it ended too late"
	case closed && (s.peerEnd != "close" || at.end < at.peerEnd):
		return "a Close that the peer did not send"
	case !closed && s.peerEnd == "close" && at.end > seen:
		return "the peer's Close is lost"
	case got.Sent == 1000 && at.weClose == never && s.code != 1000:
		return "a Close that nobody asked for"
	}
	if closed {
		return s.wrongClose(got)
	}
	return s.wrongFailure(got, seen, late)
}

func (s *schedule) wrongClose(got result.Status) string {
	reason := "theirs"
	if s.code == 1005 {
		reason = ""
	}
	var e *result.CloseError
	switch code := result.StatusCode(s.code); {
	case got.Code != code || got.Received != code || got.Reason != reason:
		return "the peer's Close came out as another one"
	case (s.code == 4001) != errors.As(got.Err, &e) || e == nil && got.Err != nil:
		return "the error is not what the code makes of it"
	case s.hard:
		return ""
	case s.at.weClose < s.at.peerEnd && got.ByPeer, s.at.weClose == never && !got.ByPeer:
		return "ByPeer is wrong"
	case got.ByPeer && got.Sent != code:
		return "the answer has another code"
	}
	return ""
}

// wrongFailure judges an end without the peer's Close: the cause must have
// happened, and not long before.
func (s *schedule) wrongFailure(got result.Status, seen, late time.Duration) string {
	var failed *result.ConnectionFailed
	var breach *result.ProtocolError
	now := s.at.end >= s.at.peerEnd && s.at.end <= seen
	switch {
	case got.Code != 1006 || got.Reason != "" || got.ByPeer || !errors.As(got.Err, &failed):
		return "not what there is without a Close of the peer's"
	case errors.Is(got.Err, errTest):
		if s.at.end != s.at.closeNow {
			return "CloseNow at another time"
		}
	case errors.As(got.Err, &breach):
		if s.peerEnd != "breach" || !now || breach.Code != 1002 {
			return "a breach that is none"
		}
	case now && s.peerEnd == "cut", s.at.end == late:
	default:
		return "it failed without a cause"
	}
	return ""
}
