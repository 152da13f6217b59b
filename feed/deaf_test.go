package feed_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/feed"
	"github.com/wsflow/wsflow/stream"
)

// An Open that does not heed its context holds up neither the end of the job nor what
// else the worker is given, and the source that it returns in the end is closed.
func TestRunDeafOpen(t *testing.T) {
	for name, leave := range map[string]func(h *hand, stop func()){
		"the job ends":       func(_ *hand, stop func()) { stop() },
		"the feed is others": func(h *hand, _ func()) { h.give("good") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &venue{t: t, most: 10}
				m := feed.NewMemory()
				log, logs := logged(zap.ErrorLevel)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				h := newHand()
				late := make(chan stream.Source, 1)
				job := &feed.Job{Feeds: []string{"good", "deaf"}, Record: record, Store: m, Logger: log, Crew: h}
				job.Open = func(ctx context.Context, name string, last feed.Record) (stream.Source, error) {
					if name == "deaf" {
						time.Sleep(time.Hour)
					}
					src, err := v.open(ctx, name, last)
					if name == "deaf" {
						late <- src
					}
					return src, err
				}
				ended := make(chan error)
				go func() { ended <- feed.Run(ctx, job) }()
				h.give("deaf")
				synctest.Wait()
				start := time.Now()
				leave(h, cancel)
				if name == "the job ends" {
					if err := <-ended; err != nil {
						t.Errorf("Run: %v", err)
					}
				}
				if took := time.Since(start); took > 11*time.Second {
					t.Errorf("it took %v", took)
				}
				synctest.Wait()
				if !mentions(logs, "does not heed its context") {
					t.Error("nothing is logged of the Open")
				}
				<-(<-late).Done()
				if name != "the job ends" {
					exact(t, m, "good", 10)
					cancel()
					<-ended
				}
				v.running.Wait()
				if n := len(m.Records("deaf")); n > 0 {
					t.Errorf("%d records of what came late", n)
				}
			})
		})
	}
}
