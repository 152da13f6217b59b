package stream

import (
	"reflect"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/result"
)

// Zero fields get their defaults, and all others are kept; what was given is not
// modified.
func TestOptionsAreCompleted(t *testing.T) {
	want := Options{SizeLimit: 16 << 20, FragmentSize: 128 << 10, LookAhead: 1 << 20, CloseTimeout: 5 * time.Second, Logger: silent}
	for name, o := range map[string]*Options{"nil": nil, "zero": {}} {
		if got, err := o.complete(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: they become %+v, error %v", name, got, err)
		}
	}
	given := Options{
		Subprotocol: "chat", SizeLimit: -1, FragmentSize: -1, LookAhead: 1, CloseTimeout: 1,
		SuccessCodes: []result.StatusCode{4000}, Logger: zap.NewExample(),
	}
	want = given
	got, err := given.complete()
	if err != nil || !reflect.DeepEqual(got, want) || !reflect.DeepEqual(given, want) {
		t.Errorf("%+v become %+v, error %v", want, got, err)
	}
	if given.SuccessCodes[0] = 4001; got.SuccessCodes[0] != 4000 {
		t.Error("a connection's success codes change with the program's list")
	}
}

// Connections with the usual options share what they need of them.
func TestLastingOptions(t *testing.T) {
	complete := func(o Options) *lasting {
		all, err := o.complete()
		if err != nil {
			t.Fatal(err)
		}
		return all.lasting()
	}
	if complete(Options{SizeLimit: 5, LookAhead: 5, FragmentSize: -1}) != &usual {
		t.Error("the usual options are not shared")
	}
	logger := zap.NewExample()
	want := lasting{"chat", time.Second, []result.StatusCode{4000}, logger, nil}
	got := complete(Options{Subprotocol: "chat", CloseTimeout: time.Second, SuccessCodes: want.good, Logger: logger})
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("they become %+v, want %+v", *got, want)
	}
	for name, o := range map[string]Options{
		"Subprotocol": {Subprotocol: "chat"}, "CloseTimeout": {CloseTimeout: 1}, "SuccessCodes": {SuccessCodes: want.good},
		"Logger": {Logger: logger}, "Post": {Post: func(f func()) { f() }},
	} {
		if got := complete(o); got == &usual || (got.post == nil) != (o.Post == nil) {
			t.Errorf("%s is lost: %+v", name, *got)
		}
	}
}
