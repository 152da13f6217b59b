package redial_test

import (
	"errors"
	"testing"
	"time"

	suite "github.com/wsflow/wsflow/internal/faces"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/redial"
	"github.com/wsflow/wsflow/result"
)

// All faces pass one suite, over a source whose connection lasts, and over one whose
// connection is cut in the middle of all that is sent.
func TestFaces(t *testing.T) {
	t.Run("lasting", func(t *testing.T) { suite.Run(t, rigOf(false)) })
	t.Run("cut", func(t *testing.T) { suite.Run(t, rigOf(true)) })
}

// atOnce dials again at once, but not behind a Close frame.
func atOnce(n int, err error) (time.Duration, bool) {
	return 0, err != nil && !errors.As(err, new(*result.CloseError))
}

func rigOf(cut bool) suite.Make {
	notices := 0
	if cut {
		notices = 2
	}
	return func(t *testing.T) *suite.Rig {
		server := newServer(t)
		src := redial.New(ctx, server.dial, &redial.Options{Retry: atOnce})
		jobs, over := make(chan func(), 5000), make(chan struct{})
		t.Cleanup(func() {
			src.CloseNow(nil)
			close(over)
			close(jobs)
		})
		var p *script.Peer
		next := func() {
			select {
			case p = <-server.peers:
			case <-over:
			}
		}
		sends := func(texts []string) {
			for _, text := range texts {
				p.Sends(script.Text(text))
			}
		}
		go func() { // ends with the test
			next()
			for do := range jobs {
				do()
			}
		}()
		return &suite.Rig{
			Subject: src,
			Notices: notices,
			Sends: func(texts ...string) {
				jobs <- func() {
					half := len(texts) / 2
					sends(texts[:half])
					if cut {
						p.Cuts()
						next()
					}
					sends(texts[half:])
				}
			},
			Ends: func(success bool) {
				jobs <- func() {
					code := 4000
					if success {
						code = 1000
					}
					p.Sends(script.Close(code, ""))
				}
			},
		}
	}
}
