package heartbeat

import (
	"encoding/binary"
	"reflect"
	"testing"
	"time"
	"unsafe"
)

// A wakeup is one call of pulse.wake and what it must decide, and the Pong that
// comes after it. All times are since the first wake.
type wakeup struct {
	at        time.Duration
	deaf      time.Duration // for how long this side has not listened so far
	read      time.Duration // when the last bytes came
	delivered int64
	before    int64 // bytes before the last Ping; unwritten is -1

	ping  bool
	sleep time.Duration
	drop  bool

	pong   time.Duration // when a Pong comes; 0: none does
	to     uint64        // the Ping that it answers; 0: the last one
	took   time.Duration // what is measured; 0: nothing
	ignore bool          // it answers no Ping of ours
}

const s = time.Second

// cases are for an interval of 10 s and a timeout of 25 s, unless they say
// otherwise.
var cases = []struct {
	name  string
	opts  Options
	wakes []wakeup
}{
	{"an answered Ping each interval", Options{}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, ping: true, sleep: 10 * s, pong: 13 * s, took: 3 * s},
		{at: 20 * s, ping: true, sleep: 10 * s, pong: 21 * s, took: 1 * s},
		{at: 30 * s, ping: true, sleep: 10 * s, pong: 39 * s, took: 9 * s},
		{at: 40 * s, ping: true, sleep: 10 * s},
	}},
	{"a Ping each interval without an answer, then the timeout", Options{Timeout: 35 * s}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, ping: true, sleep: 10 * s, pong: 11 * s, took: 1 * s},
		{at: 20 * s, ping: true, sleep: 10 * s},
		{at: 30 * s, ping: true, sleep: 10 * s},
		{at: 40 * s, ping: true, sleep: 6 * s},
		{at: 46 * s, drop: true},
	}},
	{"not a moment too early", Options{}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, ping: true, sleep: 10 * s},
		{at: 20 * s, ping: true, sleep: 5 * s},
		{at: 25*s - 2*time.Millisecond, sleep: 2 * time.Millisecond},
		{at: 25 * s, drop: true},
	}},
	{"no more than a thousand wakes a second", Options{}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, ping: true, sleep: 10 * s},
		{at: 20 * s, ping: true, sleep: 5 * s},
		{at: 25 * s, deaf: 1, sleep: time.Millisecond},
		{at: 25*s + time.Millisecond, deaf: 1, drop: true},
	}},
	{"an answer after more than an interval", Options{}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, ping: true, sleep: 10 * s},
		{at: 20 * s, ping: true, sleep: 5 * s, pong: 24 * s, to: 1, took: 14 * s},
		{at: 25 * s, sleep: 5 * s},
		{at: 30 * s, ping: true, sleep: 10 * s, pong: 34 * s, to: 2, took: 14 * s},
		{at: 40 * s, ping: true, sleep: 10 * s, pong: 44 * s, to: 3, took: 14 * s},
	}},
	{"each answer is more than two intervals late", Options{Timeout: 100 * s}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, ping: true, sleep: 10 * s},
		{at: 20 * s, ping: true, sleep: 10 * s},
		{at: 30 * s, ping: true, sleep: 10 * s, pong: 35 * s, to: 1, took: 25 * s},
		{at: 40 * s, ping: true, sleep: 10 * s, pong: 45 * s, to: 2, took: 25 * s},
		{at: 50 * s, ping: true, sleep: 10 * s, pong: 55 * s, to: 3, took: 25 * s},
	}},
	{"the answer to the first Ping was lost", Options{}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, ping: true, sleep: 10 * s},
		{at: 20 * s, ping: true, sleep: 5 * s, pong: 21 * s, took: 1 * s},
		{at: 25 * s, sleep: 5 * s, pong: 26 * s, to: 1, ignore: true},
		{at: 30 * s, ping: true, sleep: 10 * s, pong: 31 * s, took: 1 * s},
	}},
	{"the timeout counts from an answer, whatever is asked still", Options{}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, ping: true, sleep: 10 * s},
		{at: 20 * s, ping: true, sleep: 5 * s, pong: 24 * s, to: 1, took: 14 * s},
		{at: 25 * s, sleep: 5 * s},
		{at: 30 * s, ping: true, sleep: 10 * s},
		{at: 40 * s, ping: true, sleep: 9 * s},
		{at: 49 * s, drop: true},
	}},
	{"a timeout of less than two intervals", Options{Timeout: 12 * s}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, ping: true, sleep: 2 * s, pong: 11 * s, took: 1 * s},
		{at: 12 * s, sleep: 8 * s},
		{at: 20 * s, ping: true, sleep: 3 * s},
		{at: 23 * s, drop: true},
	}},
	{"a late wake finds a peer that nobody asked", Options{}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 1000 * s, ping: true, sleep: 10 * s},
		{at: 1010 * s, ping: true, sleep: 5 * s},
		{at: 1015 * s, drop: true},
	}},
	{"a late wake finds an answer that nobody read", Options{}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, ping: true, sleep: 10 * s},
		{at: 1000 * s, ping: true, sleep: 10 * s, pong: 1001 * s, to: 1, took: 991 * s},
		{at: 1010 * s, ping: true, sleep: 10 * s},
	}},
	{"a wake that is a little late counts", Options{}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, ping: true, sleep: 10 * s},
		{at: 21 * s, ping: true, sleep: 4 * s},
		{at: 26 * s, drop: true},
	}},
	{"other Pongs and data prove nothing", Options{}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, read: 9 * s, ping: true, sleep: 10 * s, pong: 11 * s, to: 7, ignore: true},
		{at: 20 * s, read: 19 * s, ping: true, sleep: 5 * s, pong: 21 * s, to: 1 << 40, ignore: true},
		{at: 25 * s, read: 24 * s, drop: true},
	}},

	{"time without listening does not count", Options{}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, ping: true, sleep: 10 * s},
		{at: 20 * s, deaf: 9 * s, ping: true, sleep: 10 * s},
		{at: 30 * s, deaf: 19 * s, ping: true, sleep: 10 * s},
		{at: 40 * s, deaf: 29 * s, ping: true, sleep: 10 * s},
		{at: 50 * s, deaf: 29 * s, ping: true, sleep: 4 * s},
		{at: 52 * s, deaf: 29 * s, sleep: 2 * s},
		{at: 54 * s, deaf: 29 * s, drop: true},
	}},
	{"the time before a Ping counts, listened or not", Options{}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, deaf: 10 * s, ping: true, sleep: 10 * s},
		{at: 20 * s, deaf: 10 * s, ping: true, sleep: 5 * s},
		{at: 25 * s, deaf: 10 * s, drop: true},
	}},
	{"an answer that may have waited for this side is not measured", Options{}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, ping: true, sleep: 10 * s},
		{at: 20 * s, deaf: 1 * s, ping: true, sleep: 6 * s},
		{at: 26 * s, deaf: 2 * s, sleep: 1 * s, pong: 26 * s, to: 1},
		{at: 27 * s, deaf: 2 * s, sleep: 3 * s, pong: 28 * s, to: 2, took: 8 * s},
		{at: 30 * s, deaf: 2 * s, ping: true, sleep: 10 * s, pong: 30*s + 1, took: 1},
	}},

	{"a Ping on its way is not late", Options{}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, delivered: 100, before: -1, ping: true, sleep: 10 * s},
		{at: 20 * s, delivered: 200, before: 900, ping: true, sleep: 10 * s},
		{at: 30 * s, delivered: 300, before: 900, ping: true, sleep: 10 * s},
		{at: 40 * s, delivered: 900, before: 1300, ping: true, sleep: 10 * s},
		{at: 50 * s, delivered: 920, before: 1300, ping: true, sleep: 10 * s},
		{at: 60 * s, delivered: 1300, before: 1500, ping: true, sleep: 5 * s},
		{at: 65 * s, delivered: 1400, before: 1500, drop: true},
	}},
	{"bytes that the Ping had before it only when it was written", Options{}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, delivered: 100, before: -1, ping: true, sleep: 10 * s},
		{at: 20 * s, delivered: 1000, before: 600, ping: true, sleep: 10 * s},
		{at: 30 * s, delivered: 2000, before: 1600, ping: true, sleep: 10 * s},
		{at: 40 * s, delivered: 3000, before: 2600, ping: true, sleep: 5 * s},
		{at: 45 * s, delivered: 4000, before: 2600, drop: true},
	}},
	{"a Ping that is not written has all before it", Options{}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, delivered: 100, before: -1, ping: true, sleep: 10 * s},
		{at: 20 * s, delivered: 200, before: -1, ping: true, sleep: 10 * s},
		{at: 30 * s, delivered: 300, before: -1, ping: true, sleep: 10 * s},
		{at: 40 * s, delivered: 300, before: -1, ping: true, sleep: 10 * s},
		{at: 50 * s, delivered: 300, before: -1, ping: true, sleep: 5 * s},
		{at: 55 * s, delivered: 300, before: -1, drop: true},
	}},
	{"a Ping that had nothing before it", Options{}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, delivered: 100, before: -1, ping: true, sleep: 10 * s},
		{at: 20 * s, delivered: 114, before: 100, ping: true, sleep: 5 * s},
		{at: 25 * s, delivered: 500, before: 114, drop: true},
	}},
	{"each Ping that follows an answer is on its own way", Options{}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, delivered: 100, before: -1, ping: true, sleep: 10 * s, pong: 11 * s, took: 1 * s},
		{at: 20 * s, delivered: 900, before: 100, ping: true, sleep: 10 * s},
		{at: 30 * s, delivered: 950, before: 1000, ping: true, sleep: 10 * s},
		{at: 40 * s, delivered: 950, before: 1000, ping: true, sleep: 10 * s},
		{at: 50 * s, delivered: 950, before: 1000, ping: true, sleep: 5 * s},
		{at: 55 * s, delivered: 950, before: 1000, drop: true},
	}},

	{"any frame: a busy peer is not asked", Options{AnyFrame: true}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, read: 8 * s, sleep: 8 * s},
		{at: 18 * s, read: 18 * s, sleep: 10 * s},
		{at: 28 * s, read: 18 * s, ping: true, sleep: 10 * s},
		{at: 38 * s, read: 35 * s, sleep: 7 * s},
		{at: 45 * s, read: 35 * s, ping: true, sleep: 10 * s},
		{at: 55 * s, read: 35 * s, ping: true, sleep: 5 * s},
		{at: 60 * s, read: 35 * s, drop: true},
	}},
	{"any frame: an answered Ping each interval", Options{AnyFrame: true}, []wakeup{
		{at: 0, sleep: 10 * s},
		{at: 10 * s, ping: true, sleep: 10 * s, pong: 13 * s, took: 3 * s},
		{at: 20 * s, read: 13 * s, ping: true, sleep: 10 * s, pong: 21 * s, took: 1 * s},
		{at: 30 * s, read: 21 * s, ping: true, sleep: 10 * s},
	}},
}

func TestPulse(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.opts.Interval = 10 * s
			if c.opts.Timeout == 0 {
				c.opts.Timeout = 25 * s
			}
			run(t, pulse{op: New(&c.opts)}, c.wakes)
		})
	}
}

// start is when the first wake is. What the link counts begins somewhere.
const (
	start    = time.Hour
	listened = 7 * time.Hour
)

func run(t *testing.T, p pulse, wakes []wakeup) {
	t.Helper()
	for _, w := range wakes {
		ping, sleep, err := p.wake(start+w.at, sight{
			listened: listened + w.at - w.deaf, read: start + w.read, delivered: w.delivered, ping: w.before,
		})
		if ping != w.ping || sleep != w.sleep || (err != nil) != w.drop {
			t.Fatalf("at %v: ping %t, sleep %v, error %v; want %t, %v, an error: %t", w.at, ping, sleep, err, w.ping, w.sleep, w.drop)
		}
		if w.pong > 0 {
			w.answer(t, &p)
		}
	}
}

// answer lets the wakeup's Pong come.
func (w *wakeup) answer(t *testing.T, p *pulse) {
	t.Helper()
	payload := p.payload()
	if w.to > 0 {
		payload = pong(w.to)
	}
	before := *p
	took, measured := p.answer(payload[:], start+w.pong, start+w.pong, listened+w.pong-w.deaf)
	if w.ignore && !reflect.DeepEqual(*p, before) {
		t.Fatalf("at %v: a Pong that answers nothing was taken for an answer", w.pong)
	}
	if measured != (w.took > 0) || measured && took != w.took {
		t.Fatalf("at %v: the answer took %v, measured %t; want %v", w.pong, took, measured, w.took)
	}
}

func pong(seq uint64) (payload [8]byte) {
	binary.BigEndian.PutUint64(payload[:], seq)
	return payload
}

// pinged returns a pulse that has sent n Pings without an answer, the first at
// sent.
func pinged(t *testing.T, n int) (p pulse, sent time.Duration) {
	t.Helper()
	p = pulse{op: New(&Options{Timeout: time.Hour})}
	p.wake(start, sight{})
	sent = start + defaultInterval
	for i := range n {
		at := time.Duration(i+1) * defaultInterval
		if ping, _, _ := p.wake(start+at, sight{listened: at}); !ping {
			t.Fatalf("no Ping after %v", at)
		}
	}
	return p, sent
}

func TestAnswerCountsOnce(t *testing.T) {
	p, sent := pinged(t, 1)
	payload := p.payload()
	p.answer(payload[:], sent+s, sent+s, defaultInterval+s)
	if _, measured := p.answer(payload[:], sent+2*s, sent+2*s, defaultInterval+2*s); measured {
		t.Error("a second Pong to the same Ping was measured")
	}
	if want := sent + s; p.proven != want {
		t.Errorf("a second Pong to the same Ping proved the peer alive at %v, the first at %v", p.proven, want)
	}
}

func TestPongsOfOddLength(t *testing.T) {
	p, sent := pinged(t, 1)
	payload := p.payload()
	for _, odd := range [][]byte{nil, payload[:7], append(payload[:8:8], 0)} {
		if _, measured := p.answer(odd, sent+s, sent+s, defaultInterval+s); measured || !p.waiting() {
			t.Errorf("the payload %x was taken for an answer", odd)
		}
	}
}

// TestManyPings shows which answers are measured where more Pings have none
// than are remembered: all of them prove the peer alive.
func TestManyPings(t *testing.T) {
	const pings = 3 * remembered
	p, sent := pinged(t, pings)
	at := pings*defaultInterval + s
	for seq := uint64(1); seq <= pings; seq++ {
		payload := pong(seq)
		took, measured := p.answer(payload[:], start+at, start+at, at)
		if want := seq > pings-remembered; measured != want {
			t.Errorf("the answer to Ping %d of %d was measured: %t, want %t", seq, pings, measured, want)
		}
		if want := start + at - sent - time.Duration(seq-1)*defaultInterval; measured && took != want {
			t.Errorf("the answer to Ping %d took %v, want %v", seq, took, want)
		}
		if want := start + at; p.proven != want || p.answered != seq {
			t.Errorf("the answer to Ping %d proved nothing", seq)
		}
		at += time.Millisecond
	}
	if p.waiting() || p.sent != nil {
		t.Errorf("it waits, or remembers %d Pings, though the last one was answered", len(p.sent))
	}
}

func TestSilenceSaysWhat(t *testing.T) {
	for _, c := range []struct {
		name  string
		opts  Options
		frame time.Duration // when the last one came
		want  string
	}{
		{"nothing", Options{}, 0, "heartbeat: waited 4m59s for a Pong (Pings sent: 9)"},
		{"frames before the last Pings", Options{}, 29 * s, "heartbeat: waited 4m59s for a Pong (Pings sent: 9)"},
		{"frames between the last Pings", Options{}, 200 * s, "heartbeat: waited 4m59s for a Pong (Pings sent: 9); other frames came: heartbeat.Options.AnyFrame lets them count"},
		{"any frame", Options{AnyFrame: true}, 0, "heartbeat: waited 4m59s for any frame (Pings sent: 9)"},
		{"more Pings than are remembered", Options{Interval: s, Timeout: 60 * s}, 0, "heartbeat: waited 1m0s for a Pong (Pings sent: 59)"},
	} {
		p := pulse{op: New(&c.opts)}
		var err error
		for at := time.Duration(0); err == nil; {
			var sleep time.Duration
			_, sleep, err = p.wake(start+at, sight{listened: at, read: start + min(at, c.frame)})
			at += sleep
		}
		if err.Error() != c.want {
			t.Errorf("%s: error %q, want %q", c.name, err, c.want)
		}
	}
}

func TestRTT(t *testing.T) {
	var r RTT
	for _, took := range []time.Duration{80, 160, 40, 80} {
		r.add(took * time.Millisecond)
	}
	// 80; 80+80/8 = 90; 90-50/8 = 83.75; 83.75-3.75/8 = 83.28125
	want := RTT{
		Last: 80 * time.Millisecond, Smoothed: 83281250 * time.Nanosecond,
		Min: 40 * time.Millisecond, Max: 160 * time.Millisecond, Count: 4,
	}
	if r != want {
		t.Errorf("%+v, want %+v", r, want)
	}
}

// TestSize bounds what each connection costs, beside its timer.
func TestSize(t *testing.T) {
	if n := unsafe.Sizeof(beat{}); n > 176 {
		t.Errorf("a connection's heartbeat is %d bytes large", n)
	}
}
