package stream_test

import (
	"testing"

	suite "github.com/wsflow/wsflow/internal/faces"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// All faces pass one suite, over a connection and over Relays of every make.
func TestFaces(t *testing.T) {
	for name, make := range map[string]suite.Make{
		"Conn":                    rigOfConn,
		"Relay by Put":            rigOfPut,
		"Relay of a Conn":         rigOfJoin(1, 1),
		"Relay of three":          rigOfJoin(1, 3),
		"Relay of a Relay":        rigOfJoin(2, 1),
		"Relay of a Relay of two": rigOfJoin(2, 2),
		"Relay of one by one":     rigOfOneByOne,
	} {
		t.Run(name, func(t *testing.T) { suite.Run(t, make) })
	}
}

func frames(texts []string) (all []script.Frame) {
	for _, text := range texts {
		all = append(all, script.Text(text))
	}
	return all
}

// endsWith has the peer close, so that the connection ends with success or without.
func endsWith(p *script.Peer, success bool) {
	if success {
		p.Sends(script.Close(1000, ""))
	} else {
		p.Sends(script.Close(4000, "no"))
	}
}

func rigOfConn(t *testing.T) *suite.Rig {
	p := script.Client(t, nil)
	return &suite.Rig{
		Subject: p.Conn,
		Sends:   func(texts ...string) { p.Sends(frames(texts)...) },
		Ends:    func(success bool) { endsWith(p, success) },
	}
}

// endedWith is a status of either kind.
func endedWith(success bool) result.Status {
	if success {
		return result.Status{Code: 1000}
	}
	return result.Status{Code: 4000, Err: &result.CloseError{Code: 4000}}
}

// rigOfPut is a Relay into which a goroutine puts messages.
func rigOfPut(t *testing.T) *suite.Rig {
	r, f := stream.NewRelay(nil)
	in := make(chan func(), 5000)
	t.Cleanup(func() { close(in) })
	go func() {
		for do := range in {
			do()
		}
	}()
	return &suite.Rig{
		Subject: r,
		Sends: func(texts ...string) {
			for _, text := range texts {
				in <- func() {
					if err := f.Put(t.Context(), stream.Message{Type: stream.Text, Data: []byte(text)}); err != nil {
						t.Errorf("Put: %v", err)
					}
				}
			}
		},
		Ends: func(success bool) {
			in <- func() { f.End(endedWith(success)) }
		},
	}
}

// rigOfJoin is a Relay of several sources, of which the last sends: connections, at
// so many Relays' depth.
func rigOfJoin(depth, sources int) suite.Make {
	return func(t *testing.T) *suite.Rig {
		p := script.Client(t, nil)
		var src suite.Subject = p.Conn
		for range depth {
			r, f := stream.NewRelay(nil)
			for range sources - 1 {
				join(t, f, script.Client(t, nil).Conn, nil)
			}
			join(t, f, src, f.End)
			src = r
		}
		return &suite.Rig{
			Subject: src,
			Sends:   func(texts ...string) { p.Sends(frames(texts)...) },
			Ends:    func(success bool) { endsWith(p, success) },
		}
	}
}

func join(t *testing.T, f *stream.Feeder, src stream.Source, ended func(result.Status)) (leave func()) {
	leave, err := f.Join(src, &stream.JoinOptions{Ended: ended})
	if err != nil {
		t.Fatal(err)
	}
	return leave
}

// rigOfOneByOne is a Relay of connections, of which each brings what one call sends.
func rigOfOneByOne(t *testing.T) *suite.Rig {
	r, f := stream.NewRelay(nil)
	next := make(chan func(ended func(result.Status)), 100)
	t.Cleanup(func() { close(next) })
	go func() {
		for epoch := uint64(0); ; epoch++ {
			begin, ok := <-next
			if !ok {
				return
			}
			ended := make(chan result.Status, 1)
			begin(func(st result.Status) { ended <- st })
			select {
			case <-ended:
			case <-t.Context().Done():
				return
			}
			f.Notify(t.Context(), nil, &stream.Gap{From: epoch})
		}
	}()
	return &suite.Rig{
		Subject: r,
		Sends: func(texts ...string) {
			next <- func(ended func(result.Status)) {
				p := script.Client(t, nil)
				p.Sends(frames(texts)...)
				endsWith(p, true)
				join(t, f, p.Conn, ended)
			}
		},
		Ends: func(success bool) {
			next <- func(ended func(result.Status)) { f.End(endedWith(success)); ended(result.Status{}) }
		},
	}
}
