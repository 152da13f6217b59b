package stream_test

import (
	"testing"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Only continuations and callbacks wait for Options.Post: where it runs nothing
// any more, the connection still has its end.
func TestEndDoesNotWaitForPost(t *testing.T) {
	for name, end := range map[string]func(*script.Peer){
		"the peer closes": func(p *script.Peer) { p.Sends(script.Close(1000, "")) },
		"CloseNow":        func(p *script.Peer) { p.Conn.CloseNow(nil) },
	} {
		bubble(t, name, func(t *testing.T) {
			p := script.Client(t, &stream.Options{Post: func(func()) {}})
			p.Conn.OnText(func(string) {})
			p.Conn.Result().Then(func(result.Status) { t.Error("a continuation ran") }, func(error) { t.Error("a continuation ran") })
			p.Sends(script.Text("for a callback"))
			end(p)
			<-p.Conn.Done()
			want, err := p.Conn.Result().Wait(ctx)
			if got, ok := p.Conn.Result().Status(); !ok || got != want || got.Err != err {
				t.Errorf("the status is %v, %v; Wait returns %v, %v", got, ok, want, err)
			}
			p.Conn.CloseNow(nil) // or the callback waits on
		})
	}
}
