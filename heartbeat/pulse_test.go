package heartbeat

import (
	"testing"
	"time"
	"unsafe"
)

// A wakeup is one call of pulse.wake and what it must decide. Between wakeups
// a test may let Pongs come.
type wakeup struct {
	at    time.Duration // since the first one
	held  bool
	read  time.Duration // when the last bytes came
	ping  bool
	sleep time.Duration
	drop  bool
	pong  time.Duration // when the Ping is answered after this; 0: it is not
	other bool          // another Pong comes after this
}

func TestPulse(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name  string
		opts  Options
		wakes []wakeup
	}{
		{"an answered Ping each interval", Options{Interval: 10 * s, Timeout: 30 * s}, []wakeup{
			{at: 0, sleep: 10 * s},
			{at: 10 * s, ping: true, sleep: 10 * s, pong: 13 * s},
			{at: 20 * s, ping: true, sleep: 10 * s, pong: 21 * s},
			{at: 30 * s, ping: true, sleep: 10 * s, pong: 39 * s},
			{at: 40 * s, ping: true, sleep: 10 * s},
		}},
		{"one Ping in flight, then the timeout", Options{Interval: 10 * s, Timeout: 35 * s}, []wakeup{
			{at: 0, sleep: 10 * s},
			{at: 10 * s, ping: true, sleep: 10 * s, pong: 11 * s},
			{at: 20 * s, ping: true, sleep: 10 * s},
			{at: 30 * s, sleep: 10 * s},
			{at: 40 * s, sleep: 6 * s},
			{at: 46 * s, drop: true},
		}},
		{"not a moment too early", Options{Interval: 10 * s, Timeout: 35 * s}, []wakeup{
			{at: 0, sleep: 10 * s},
			{at: 10 * s, ping: true, sleep: 10 * s},
			{at: 35*s - 1, sleep: 1},
			{at: 35 * s, drop: true},
		}},
		{"an answer after more than an interval", Options{Interval: 10 * s, Timeout: 60 * s}, []wakeup{
			{at: 0, sleep: 10 * s},
			{at: 10 * s, ping: true, sleep: 10 * s},
			{at: 20 * s, sleep: 10 * s, pong: 25 * s},
			{at: 30 * s, ping: true, sleep: 10 * s},
		}},
		{"a timeout of less than two intervals", Options{Interval: 10 * s, Timeout: 12 * s}, []wakeup{
			{at: 0, sleep: 10 * s},
			{at: 10 * s, ping: true, sleep: 2 * s, pong: 11 * s},
			{at: 12 * s, sleep: 8 * s},
			{at: 20 * s, ping: true, sleep: 3 * s},
			{at: 23 * s, drop: true},
		}},
		{"reading held back: the timeout starts anew", Options{Interval: 10 * s, Timeout: 25 * s}, []wakeup{
			{at: 0, sleep: 10 * s},
			{at: 10 * s, ping: true, sleep: 10 * s},
			{at: 20 * s, held: true, sleep: 10 * s},
			{at: 30 * s, held: true, sleep: 10 * s},
			{at: 40 * s, sleep: 10 * s},
			{at: 50 * s, sleep: 5 * s},
			{at: 55 * s, drop: true},
		}},
		{"reading held back: no Ping", Options{Interval: 10 * s, Timeout: 25 * s}, []wakeup{
			{at: 0, sleep: 10 * s},
			{at: 10 * s, held: true, sleep: 10 * s},
			{at: 20 * s, ping: true, sleep: 10 * s, pong: 21 * s},
			{at: 30 * s, ping: true, sleep: 10 * s},
		}},
		{"a late wake finds a peer that nobody asked", Options{Interval: 10 * s, Timeout: 25 * s}, []wakeup{
			{at: 0, sleep: 10 * s},
			{at: 1000 * s, ping: true, sleep: 10 * s},
			{at: 1010 * s, sleep: 5 * s},
			{at: 1015 * s, drop: true},
		}},
		{"other Pongs and data prove nothing", Options{Interval: 10 * s, Timeout: 25 * s}, []wakeup{
			{at: 0, sleep: 10 * s},
			{at: 10 * s, read: 9 * s, ping: true, sleep: 10 * s, other: true},
			{at: 20 * s, read: 19 * s, ping: true, sleep: 5 * s, other: true},
			{at: 25 * s, read: 24 * s, drop: true},
		}},
		{"any frame: a busy peer is not asked", Options{Interval: 10 * s, Timeout: 25 * s, AnyFrame: true}, []wakeup{
			{at: 0, sleep: 10 * s},
			{at: 10 * s, read: 8 * s, sleep: 8 * s},
			{at: 18 * s, read: 18 * s, sleep: 10 * s},
			{at: 28 * s, read: 18 * s, ping: true, sleep: 10 * s},
			{at: 38 * s, read: 35 * s, sleep: 7 * s},
			{at: 45 * s, read: 35 * s, sleep: 10 * s},
			{at: 55 * s, read: 35 * s, sleep: 5 * s},
			{at: 60 * s, read: 35 * s, drop: true},
		}},
		{"any frame: an answered Ping each interval", Options{Interval: 10 * s, Timeout: 30 * s, AnyFrame: true}, []wakeup{
			{at: 0, sleep: 10 * s},
			{at: 10 * s, ping: true, sleep: 10 * s, pong: 13 * s},
			{at: 20 * s, read: 13 * s, ping: true, sleep: 10 * s, pong: 21 * s},
			{at: 30 * s, read: 21 * s, ping: true, sleep: 10 * s},
		}},
	} {
		t.Run(c.name, func(t *testing.T) { run(t, pulse{op: New(&c.opts)}, c.wakes) })
	}
}

func run(t *testing.T, p pulse, wakes []wakeup) {
	const start = time.Hour
	for _, w := range wakes {
		ping, sleep, err := p.wake(start+w.at, w.held, start+w.read)
		if ping != w.ping || sleep != w.sleep || (err != nil) != w.drop {
			t.Fatalf("at %v: ping %t, sleep %v, error %v; want %t, %v, an error: %t", w.at, ping, sleep, err, w.ping, w.sleep, w.drop)
		}
		if w.other {
			p.answer([]byte("not ours"), start+w.at)
		}
		if w.pong == 0 {
			continue
		}
		payload := p.payload()
		if took, measured := p.answer(payload[:], start+w.pong); took != start+w.pong-p.sent || !measured {
			t.Fatalf("at %v: the answer took %v, measured %t", w.pong, took, measured)
		}
	}
}

// pinged returns a pulse with a Ping in flight since sent.
func pinged(t *testing.T) (p pulse, sent time.Duration) {
	t.Helper()
	p = pulse{op: New(nil)}
	const start = time.Hour
	sent = start + defaultInterval
	p.wake(start, false, start)
	if ping, _, _ := p.wake(sent, false, start); !ping {
		t.Fatal("no Ping after an interval")
	}
	return p, sent
}

func TestAnswerCountsOnce(t *testing.T) {
	p, sent := pinged(t)
	payload := p.payload()
	p.answer(payload[:], sent+time.Second)
	if _, measured := p.answer(payload[:], sent+2*time.Second); measured {
		t.Error("a second Pong to the same Ping was measured")
	}
	if want := sent + time.Second; p.proven != want {
		t.Errorf("a second Pong to the same Ping proved the peer alive at %v, the first at %v", p.proven, want)
	}
}

// TestAnswerReadBefore has an answer that was read before reading was found to
// be held back: the timeout starts anew at the later of both.
func TestAnswerReadBefore(t *testing.T) {
	p, sent := pinged(t)
	held := sent + defaultInterval
	p.wake(held, true, sent)
	payload := p.payload()
	p.answer(payload[:], sent+time.Second)
	if p.proven != held {
		t.Errorf("the timeout counts from %v after the Ping, want %v", p.proven-sent, defaultInterval)
	}
}

func TestPayloadIsNew(t *testing.T) {
	p, sent := pinged(t)
	old := p.payload()
	p.answer(old[:], sent)
	if ping, _, _ := p.wake(sent+defaultInterval, false, sent); !ping {
		t.Fatal("no second Ping")
	}
	if p.payload() == old {
		t.Fatal("the second Ping has the payload of the first")
	}
	if _, measured := p.answer(old[:], sent+defaultInterval); measured {
		t.Error("the second Ping was answered with the payload of the first")
	}
}

// TestRepeatedPing shows what follows where another Pong may have stood for
// the one to our Ping.
func TestRepeatedPing(t *testing.T) {
	p, sent := pinged(t)
	payload := p.payload()
	p.answer([]byte("another operator's"), sent+time.Second)
	again := sent + defaultInterval
	if ping, _, _ := p.wake(again, false, sent); !ping || p.payload() != payload {
		t.Fatalf("the wake after it sent a Ping: %t, with payload %x, not %x", ping, p.payload(), payload)
	}
	if ping, _, _ := p.wake(again+defaultInterval, false, sent); ping {
		t.Error("the next wake sent a third Ping")
	}
	read := again + defaultInterval + time.Second
	if _, measured := p.answer(payload[:], read); measured {
		t.Error("the time since one of two Pings was measured")
	}
	if p.proven != read {
		t.Error("the answer proved nothing")
	}
}

func TestHeldTimeIsNotMeasured(t *testing.T) {
	p, sent := pinged(t)
	payload := p.payload()
	p.wake(sent+defaultInterval, true, sent)
	if _, measured := p.answer(payload[:], sent+2*defaultInterval); measured {
		t.Error("a time in which reading was held back was measured")
	}
	if ping, _, _ := p.wake(sent+3*defaultInterval, false, sent); !ping {
		t.Fatal("no Ping after the hold")
	}
	payload = p.payload()
	if _, measured := p.answer(payload[:], sent+3*defaultInterval); !measured {
		t.Error("the Ping after the hold was not measured")
	}
}

func TestSilenceSaysWhat(t *testing.T) {
	const start = time.Hour
	for _, c := range []struct {
		anyFrame bool
		want     string
	}{
		{false, "heartbeat: waited 4m59s for a Pong, 4m29s of it after the last Ping"},
		{true, "heartbeat: waited 4m59s for any frame, 4m29s of it after the last Ping"},
	} {
		p := pulse{op: New(&Options{AnyFrame: c.anyFrame})}
		p.wake(start, false, start)
		p.wake(start+defaultInterval, false, start)
		if _, _, err := p.wake(start+defaultTimeout, false, start); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
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
	if n := unsafe.Sizeof(beat{}); n > 256 {
		t.Errorf("a connection's heartbeat is %d bytes large", n)
	}
}
