package redial

import (
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// lines holds all sources of the program to a few lines in the log: a server that
// restarts may cut ten thousand of them at once.
var lines = limiter{burst: 10, every: time.Second}

// A limiter lets so many events pass at once, and then one each so often. All
// methods may be called from many goroutines.
type limiter struct {
	// Never change.
	burst int
	every time.Duration

	// Guarded by mu.
	mu      sync.Mutex
	left    int       // that may pass at once
	at      time.Time // when left was counted; zero at first
	skipped uint64    // events that did not pass, and that nobody was told of
}

// pass reports whether an event may pass now, and if so, how many did not before it.
func (l *limiter) pass(now time.Time) (skipped uint64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch gained := int64(now.Sub(l.at) / l.every); {
	case l.at.IsZero() || gained < 0 || gained >= int64(l.burst): // a clock may go back
		l.left, l.at = l.burst, now
	case gained > 0:
		l.left, l.at = min(l.left+int(gained), l.burst), l.at.Add(time.Duration(gained)*l.every)
	}
	if l.left == 0 {
		l.skipped++
		return 0, false
	}
	l.left--
	skipped, l.skipped = l.skipped, 0
	return skipped, true
}

// tell writes a line into the log, if there is room for it.
func (s *Source) tell(level zapcore.Level, text string, fields ...zap.Field) {
	line := s.opts.logger().Check(level, text)
	if line == nil {
		return
	}
	skipped, ok := lines.pass(time.Now())
	if !ok {
		return
	}
	if skipped > 0 {
		fields = append(fields, zap.Uint64("lines left out", skipped))
	}
	line.Write(fields...)
}
