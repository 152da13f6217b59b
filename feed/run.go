package feed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/stream"
)

// grace is how long what was received may take to be stored when the job is to end,
// and sources may take to close.
const grace = 10 * time.Second

// queueSize returns how many slices of messages may wait while an Append runs. Each has
// 256 at most: enough for the next Append where they are small, and not too many to
// store when feeds are given up.
func queueSize(batch int) int { return min(max(16, batch/16), 1024) }

// Run stores feeds until ctx ends: it opens those that are this worker's, each behind
// its last record, makes records of their messages and appends them to the store, one
// Append at a time. While one runs, up to 4 MiB of messages wait; then TCP holds the
// peers back.
//
// Nothing stops it but ctx. Where the store refuses or does not answer, a feed does not
// open, or its source ends with an error, Run says why in the log, waits, and tries
// again. A feed that somebody else has written to is closed, and opened again behind
// what is stored as long as it is this worker's.
//
// When ctx ends, sources are closed and what was received is stored, within 10 s. Run
// returns nil then, or an error that counts the messages that were received and not
// stored. It returns a *[result.ArgumentError] for a job that cannot be done, and an
// error if the crew ends before ctx. Without a crew it returns nil when all feeds have
// ended with success.
//
// A panic of one of the job's functions ends the job at once: what was received is not
// stored, and Run returns what it panicked with.
func Run(ctx context.Context, j *Job) (err error) {
	if err := check.Context(ctx); err != nil {
		return err
	}
	job, err := j.complete()
	if err != nil {
		return err
	}
	r := newRun(ctx, job)
	messages := r.relay.Batches(context.Background(), &stream.SubscribeOptions{Size: queueSize(job.Batch), Bytes: bundleBytes})
	go r.follow() // ends when ctx has ended, and all feeds were given up
	go r.hurry()  // ends with the job
	defer func() {
		r.running.Wait()
		err = r.outcome()
	}()
	check.Run("a function in feed.Job", r.job.Logger, func(err error) {
		r.broken(err)
		r.store(messages)
	}, func() { r.store(messages) })
	return nil
}

// A run is a job under way.
type run struct {
	// Never change.
	job     Job
	relay   *stream.Relay
	feeder  *stream.Feeder
	ctx     context.Context // the job is to go on
	stop    context.CancelCauseFunc
	hard    context.Context // what was received may still be stored
	cut     context.CancelCauseFunc
	over    chan struct{}  // closed when the crew has ended, and all feeds were given up
	asking  chan struct{}  // whoever has sent to it may call Store.Last, and receives behind that
	running sync.WaitGroup // sources that are about to end, and claims

	// Of the goroutine that stores.
	bundle bundle
	lost   int // messages that were received and not stored

	// Guarded by mu.
	mu    sync.Mutex
	feeds map[string]*held
	due   []*held // whose last records are to be asked for
	done  int     // feeds that have ended with success
	err   error   // why the job cannot be done
}

func newRun(ctx context.Context, job Job) *run {
	r := &run{job: job, over: make(chan struct{}), asking: make(chan struct{}, 1), feeds: map[string]*held{}}
	r.relay, r.feeder = stream.NewRelay(&stream.RelayOptions{Logger: job.Logger})
	r.ctx, r.stop = context.WithCancelCause(ctx)
	r.hard, r.cut = context.WithCancelCause(context.WithoutCancel(ctx))
	r.stopIfDone()
	return r
}

// stopIfDone ends the job of a worker without others when all feeds have ended. It is
// called under mu.
func (r *run) stopIfDone() {
	if r.job.Crew == (alone{}) && r.done == len(r.job.Feeds) {
		r.stop(nil)
	}
}

// follow does what the crew says.
func (r *run) follow() {
	defer close(r.over)
	defer r.assign(nil)
	why := errors.New("it gives no reason")
	for list, err := range r.job.Crew.Mine(r.ctx, r.job.Feeds) {
		if err != nil {
			why = err
			r.job.Logger.Warn("it is not known which feeds are this worker's", zap.Error(err))
			continue
		}
		r.assign(list)
	}
	if r.ctx.Err() == nil {
		r.fail(fmt.Errorf("wsflow: the crew has ended before the job: %w", why))
	}
}

// hurry bounds the time that the end of the job takes.
func (r *run) hurry() {
	<-r.ctx.Done()
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case <-late.C:
		r.cut(fmt.Errorf("not stored within %v after the job was to end", grace))
	case <-r.hard.Done():
	}
}

// fail ends the job for good.
func (r *run) fail(err error) {
	r.mu.Lock()
	if r.err == nil {
		r.err = err
	}
	r.mu.Unlock()
	r.stop(err)
}

// broken ends the job for a function of the program that has panicked, or ended its
// goroutine: nothing is stored any more.
func (r *run) broken(err error) {
	r.fail(err)
	r.cut(err)
}

// outcome returns what Run returns, when all is over.
func (r *run) outcome() error {
	why := context.Cause(r.hard)
	r.stop(nil)
	r.cut(nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.err != nil:
		return r.err
	case r.lost > 0:
		return fmt.Errorf("wsflow: %d messages that were received are not stored: %w", r.lost, why)
	}
	return nil
}

// assign makes these the feeds of this worker. It gives up the others, waits until
// what came of them is stored, and opens those that are new.
func (r *run) assign(list []string) {
	wanted := make(map[string]bool, len(list))
	for _, f := range list {
		wanted[f] = true
	}
	r.mu.Lock()
	var left, fresh []*held
	for name, h := range r.feeds {
		if !wanted[name] {
			left = append(left, h)
		}
	}
	r.mu.Unlock()
	for _, h := range left {
		h.revoke()
	}
	for _, h := range left {
		<-h.over
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range left {
		delete(r.feeds, h.name)
	}
	for _, f := range list {
		if r.feeds[f] == nil {
			h := newHeld(r, f)
			r.feeds[f] = h
			fresh = append(fresh, h)
		}
	}
	if len(fresh) > 0 {
		r.claims(fresh)
	}
}
