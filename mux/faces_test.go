package mux_test

import (
	"testing"

	"github.com/wsflow/wsflow/internal/faces"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/mux"
	"github.com/wsflow/wsflow/stream"
)

// A topic has all faces of a connection, with the same promises but for what comes
// while nobody takes.
func TestFaces(t *testing.T) {
	faces.RunLive(t, func(t *testing.T) *faces.Rig {
		p := script.Client(t, nil)
		m := mux.New(p.Conn, &mux.Options[int]{Topic: func(stream.Message) (int, bool) { return 1, true }})
		return &faces.Rig{
			Subject: m.Topic(1),
			Sends: func(texts ...string) {
				for _, text := range texts {
					p.Sends(script.Text(text))
				}
			},
			Ends: func(success bool) {
				if success {
					p.Sends(script.Close(1000, ""))
				} else {
					p.Sends(script.Close(4000, ""))
				}
			},
		}
	})
}
