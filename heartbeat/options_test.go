package heartbeat_test

import (
	"errors"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

func TestValidate(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name  string
		opts  *heartbeat.Options
		names []string // what the error names; none: the options are good
	}{
		{"nil", nil, nil},
		{"zero", &heartbeat.Options{}, nil},
		{"both", &heartbeat.Options{Interval: s, Timeout: 2 * s}, nil},
		{"just longer", &heartbeat.Options{Interval: s, Timeout: s + 1}, nil},
		{"a long interval", &heartbeat.Options{Interval: 24 * time.Hour}, nil},
		{"the longest interval but one", &heartbeat.Options{Interval: math.MaxInt64 - 1e9}, nil},
		{"equal", &heartbeat.Options{Interval: 7 * s, Timeout: 7 * s}, []string{"heartbeat.Options.Timeout is 7s", "Interval, which is 7s"}},
		{"shorter", &heartbeat.Options{Interval: 7 * s, Timeout: 6 * s}, []string{"heartbeat.Options.Timeout is 6s", "Interval, which is 7s"}},
		{"shorter than the default", &heartbeat.Options{Timeout: 6 * s}, []string{"heartbeat.Options.Timeout is 6s", "Interval, which is 30s"}},
		{"negative timeout", &heartbeat.Options{Interval: 7 * s, Timeout: -1}, []string{"heartbeat.Options.Timeout is -1ns", "Interval, which is 7s"}},
		{"negative interval", &heartbeat.Options{Interval: -s}, []string{"heartbeat.Options.Interval is -1s", "Timeout, which is 4m59s"}},
		{"both negative", &heartbeat.Options{Interval: -s, Timeout: -2 * s}, []string{"heartbeat.Options.Interval is -1s", "Timeout, which is -2s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			op := heartbeat.New(c.opts)
			wantArgumentError(t, op.Validate(), c.names)
			near, far := net.Pipe()
			defer far.Close()
			conn, err := stream.New(near, stream.Client, &stream.Options{Operators: []stream.Operator{op}})
			wantArgumentError(t, err, c.names)
			if err == nil {
				conn.CloseNow(errors.New("the test is over"))
				<-conn.Done()
			}
		})
	}
}

func wantArgumentError(t *testing.T, err error, names []string) {
	t.Helper()
	if len(names) == 0 {
		if err != nil {
			t.Errorf("error %v for good options", err)
		}
		return
	}
	var arg *result.ArgumentError
	if !errors.As(err, &arg) {
		t.Fatalf("error %v, want a *result.ArgumentError", err)
	}
	for _, name := range names {
		if !strings.Contains(arg.Error(), name) {
			t.Errorf("error %q does not say %q", arg, name)
		}
	}
}

func TestOptionsAreCopied(t *testing.T) {
	opts := heartbeat.Options{Interval: time.Second, Timeout: 2 * time.Second}
	op := heartbeat.New(&opts)
	opts.Timeout = -1
	if err := op.Validate(); err != nil {
		t.Errorf("the operator changed with the options: %v", err)
	}
	if opts != (heartbeat.Options{Interval: time.Second, Timeout: -1}) {
		t.Errorf("the options were changed to %+v", opts)
	}
}
