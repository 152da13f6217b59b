package dial

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// observed is what an Observable emits: texts, and the error.
func observed(t *testing.T, o rxgo.Observable) (texts []string, err error) {
	t.Helper()
	for item := range o.Observe() {
		if err != nil {
			t.Errorf("an item came after the error %v", err)
		}
		if item.E != nil {
			err = item.E
			continue
		}
		texts = append(texts, string(item.V.(stream.Message).Data))
	}
	return texts, err
}

func TestObservable(t *testing.T) {
	for name, tt := range map[string]struct {
		end   string
		check func(error) bool
	}{
		"clean end":   {"\x88\x02\x03\xe8", func(err error) bool { return err == nil }},
		"other close": {"\x88\x02\x0f\xa0", func(err error) bool { return errors.As(err, new(*result.CloseError)) }},
		"breach":      {"\xff\x00", func(err error) bool { return errors.As(err, new(*result.ProtocolError)) }},
	} {
		addr := listen(t, answers(func(r *http.Request) string { return agree(r) + "\x81\x01a\x81\x01b" + tt.end }))
		cold := Observable("ws://"+addr, &Options{Operators: none}, nil)
		for range 2 {
			texts, err := observed(t, cold)
			want(t, name+": the texts", texts, "[a b]")
			if !tt.check(err) {
				t.Errorf("%s: the error is %v", name, err)
			}
		}
	}
}

func TestObservableTellsErrorsOfDialing(t *testing.T) {
	_, err := observed(t, Observable("nonsense", nil, nil))
	if _, ok := err.(*result.ArgumentError); !ok {
		t.Errorf("the item is %v, want a *result.ArgumentError", err)
	}
	_, err = observed(t, Observable("ws://127.0.0.1:1", nil, nil))
	if !errors.As(err, new(*result.ConnectionFailed)) {
		t.Errorf("the item is %v", err)
	}
}

func TestRetryReconnects(t *testing.T) {
	var dials atomic.Int64
	addr := listen(t, answers(func(r *http.Request) string {
		if dials.Add(1) < 3 {
			return agree(r) + "\x81\x01a\x88\x02\x03\xf3"
		}
		return agree(r) + "\x81\x01b" + "\x88\x02\x03\xe8"
	}))
	cold := Observable("ws://"+addr, &Options{Operators: none}, nil)
	texts, err := observed(t, rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		for item := range cold.Retry(5, func(error) bool { return true }).Observe() {
			item.SendContext(ctx, next)
		}
	}}))
	want(t, "the texts", texts, "[a a b]")
	want(t, "the error", err, nil)
}

func TestObserversContextClosesTheConnection(t *testing.T) {
	url, codes := closing(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	items := Observable(url, nil, nil).Observe(rxgo.WithContext(ctx))
	<-items
	cancel()
	want(t, "the code that the server got", int(<-codes), 1000)
	if item, open := <-items; open {
		t.Errorf("after the end of the context came %v", item)
	}
}

// An observer that takes nothing is given up after ten minutes. What is left of it
// then, one goroutine with the error that it is owed, ends with its context.
func TestObserverThatIsGoneIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		dial := func(context.Context, string, string) (net.Conn, error) {
			return pipeTo(t, answers(func(r *http.Request) string { return agree(r) + frames })), nil
		}
		Observable("ws://a.test", &Options{DialContext: dial, Operators: none}, nil).Observe(rxgo.WithContext(ctx))
		time.Sleep(10*time.Minute + time.Second)
		cancel()
		synctest.Wait() // nothing may be left when the bubble ends
	})
}

// The lines of Go in Observable's comment stand in an Example, which is run.
func TestLinesOfTheComment(t *testing.T) {
	comment, err := os.ReadFile("observable.go")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`(?m)^//(\t.*\n)`).FindAllStringSubmatch(string(comment), -1)
	var lines strings.Builder
	for _, line := range code {
		lines.WriteString(line[1])
	}
	if lines.Len() == 0 || !strings.Contains(string(example), lines.String()) {
		t.Errorf("these lines stand in no Example:\n%s", &lines)
	}
}

// Retry as the comment has it ends with its context, and dials once each pause.
func TestRetryWithAPauseEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		cold := Observable("ws://a.test", &Options{DialContext: func(context.Context, string, string) (net.Conn, error) {
			dials++
			return nil, errors.New("nobody there")
		}}, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Second/2)
		defer cancel()
		pause := func(error) bool {
			select {
			case <-time.After(time.Second):
				return true
			case <-ctx.Done():
				return false
			}
		}
		for item := range cold.Retry(1000, pause, rxgo.WithContext(ctx)).Observe(rxgo.WithContext(ctx)) {
			t.Errorf("the item %v came after the context had ended", item)
		}
		want(t, "dials in a minute", dials, 61)
	})
}
