package fanin_test

import (
	"fmt"
	"testing"

	"github.com/wsflow/wsflow/fanin"
	"github.com/wsflow/wsflow/internal/faces"
	"github.com/wsflow/wsflow/internal/script"
)

// A group has all faces of a connection, with the same promises.
func TestFaces(t *testing.T) {
	faces.Run(t, func(t *testing.T) *faces.Rig { return rig(t, 3) })
}

// rig is a group of which the last member sends.
func rig(t *testing.T, members int) *faces.Rig {
	g := fanin.New(nil)
	peers := make([]*script.Peer, members)
	for i := range peers {
		peers[i] = script.Client(t, nil)
		add(t, g, fmt.Sprint(i), peers[i].Conn)
	}
	g.Close()
	return &faces.Rig{
		Subject: g,
		Sends: func(texts ...string) {
			for _, text := range texts {
				peers[members-1].Sends(script.Text(text))
			}
		},
		Ends: func(success bool) {
			for i, p := range peers {
				code := 1000
				if !success && i == members-1 {
					code = 4000
				}
				p.Sends(script.Close(code, ""))
			}
		},
	}
}
