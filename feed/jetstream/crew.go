package jetstream

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/wsflow/wsflow/feed"
	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/result"
)

// CrewSettings returns the settings of a bucket in which the workers of a crew find each
// other. A worker that was silent for ttl is taken for gone. ttl is at least 1 s; 10 s is
// a good choice. Set Replicas to 3 on a cluster. The bucket is in a file, although
// nothing in it outlives a worker: one in memory would be gone with its server.
//
//	kv, err := js.CreateOrUpdateKeyValue(ctx, jetstream.CrewSettings("workers", 10*time.Second))
func CrewSettings(bucket string, ttl time.Duration) jetstream.KeyValueConfig {
	return jetstream.KeyValueConfig{Bucket: bucket, TTL: ttl, LimitMarkerTTL: max(ttl, time.Second)}
}

// A Crew is a [feed.Crew]: workers that each have a key in a bucket, which expires
// when the worker does not renew it. They share the feeds by [feed.Share]. When
// workers come or go, each first gives up what it no longer has, and says so; then
// each takes what it has got. A worker that says nothing is waited for as long as
// its key may live.
//
// A Crew is one worker. Its Mine may be called once at a time.
type Crew struct {
	kv   jetstream.KeyValue
	name string
	ttl  time.Duration
	log  *zap.Logger
}

var _ feed.Crew = (*Crew)(nil)

var keyPart = regexp.MustCompile(`^[-_=a-zA-Z0-9]{1,64}$`)

// NewCrew returns a worker of the crew whose bucket this is. The worker's name is
// for logs: letters, digits, "-", "_" and "=", at most 64. A random part is added, so
// that each worker is one of its own. The bucket must have a TTL of 1 s or more and
// a LimitMarkerTTL. A nil logger logs nothing.
func NewCrew(ctx context.Context, kv jetstream.KeyValue, worker string, logger *zap.Logger) (*Crew, error) {
	if err := check.Context(ctx); err != nil {
		return nil, err
	}
	switch {
	case kv == nil:
		return nil, &result.ArgumentError{Name: "kv", Allowed: "a bucket, not nil"}
	case !keyPart.MatchString(worker):
		return nil, &result.ArgumentError{Name: "worker", Value: worker, Allowed: `1 to 64 letters, digits, "-", "_" and "="`}
	}
	status, err := kv.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("feed/jetstream: bucket %q: %w", kv.Bucket(), err)
	}
	if ttl := status.TTL(); ttl < time.Second {
		return nil, &result.ArgumentError{Name: "the TTL of the bucket " + kv.Bucket(), Value: ttl, Allowed: "1 s or more"}
	}
	if status.LimitMarkerTTL() <= 0 {
		return nil, &result.ArgumentError{Name: "the LimitMarkerTTL of the bucket " + kv.Bucket(), Value: status.LimitMarkerTTL(), Allowed: "1 s or more"}
	}
	if logger == nil {
		logger = zap.NewNop()
	}
	name := worker + "-" + rand.Text()[:8]
	return &Crew{kv: kv, name: name, ttl: status.TTL(), log: logger.With(zap.String("worker", name))}, nil
}

// Name returns the worker's name with the random part.
func (c *Crew) Name() string { return c.name }

// Mine implements [feed.Crew].
func (c *Crew) Mine(ctx context.Context, all []string) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		if err := check.Context(ctx); err != nil {
			yield(nil, err)
			return
		}
		p := c.announce(ctx)
		defer p.leave()
		r := roster{me: c.name, all: all, patience: c.ttl}
		for ctx.Err() == nil {
			err := c.follow(ctx, p, &r, yield)
			if err == errEnough {
				return
			}
			if ctx.Err() == nil && !yield(nil, err) {
				return
			}
			pause(ctx, c.ttl/3)
		}
		if len(r.held) > 0 {
			yield(nil, nil)
		}
	}
}

// errEnough ends the loop whose body wants no more.
var errEnough = errors.New("enough")

// follow watches the bucket until that fails or ctx ends.
func (c *Crew) follow(ctx context.Context, p *presence, r *roster, yield func([]string, error) bool) error {
	watch, err := c.kv.WatchAll(ctx)
	if err != nil {
		return fmt.Errorf("feed/jetstream: bucket %q: %w", c.kv.Bucket(), err)
	}
	defer watch.Stop()
	r.reset()
	tick := time.NewTicker(c.ttl / 3) // for those who are waited for in vain
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-p.failed:
			if !yield(nil, err) {
				return errEnough
			}
		case <-tick.C:
		case e, open := <-watch.Updates():
			if !open {
				return fmt.Errorf("feed/jetstream: the watch of bucket %q has ended", c.kv.Bucket())
			}
			c.note(r, e)
		}
		if !c.settle(p, r, yield) {
			return errEnough
		}
	}
}

// note notes what the watch tells; nil means that it has told of all keys.
func (c *Crew) note(r *roster, e jetstream.KeyValueEntry) {
	switch {
	case e == nil:
		r.known = true
	case e.Operation() == jetstream.KeyValuePut:
		r.heard(e.Key(), string(e.Value()))
	default:
		r.gone(e.Key())
	}
}

// settle yields what has changed, and tells the others. It returns false if the body
// wants no more.
func (c *Crew) settle(p *presence, r *roster, yield func([]string, error) bool) bool {
	for {
		list, changed := r.next(time.Now())
		if !changed {
			p.say(r.done)
			return true
		}
		c.log.Info("the crew has changed", zap.Int("workers", len(r.workers)), zap.Int("feeds", len(list)))
		if !yield(list, nil) {
			return false
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
