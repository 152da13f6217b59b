package main

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// Members send nothing before the start, then each at a time of its own, and end
// when they are dismissed.
func TestPacedFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const members, rounds = 4, 3
		var all fleets
		a := ask{Content: contentBinary, Size: 64, Every: time.Second, ID: 1}
		came := make(chan time.Duration) // from the start
		began := time.Now().Add(time.Hour)
		for range members {
			client, server := net.Pipe()
			f := all.of(a.ID)
			go f.sail(server, a, a.batch(), f.join(server))
			go func() {
				frame := make([]byte, 2+a.Size)
				for {
					if _, err := io.ReadFull(client, frame); err != nil {
						came <- -1
						return
					}
					if late := age(frame[2:], time.Now()); late != 0 {
						t.Errorf("a message is %v old when it comes", late)
					}
					came <- time.Since(began)
				}
			}()
		}
		<-time.After(time.Hour)
		all.of(a.ID).start()
		seen := map[time.Duration]int{}
		for range members * rounds {
			seen[<-came%time.Second]++
		}
		if len(seen) != members {
			t.Errorf("messages came at %v of a second; want %d moments", seen, members)
		}
		for at, n := range seen {
			if n != rounds {
				t.Errorf("%d messages came at %v; want one a second", n, at)
			}
		}
		all.dismiss(a.ID)
		for range members {
			if at := <-came; at != -1 {
				t.Errorf("a message came after the end, at %v", at)
			}
		}
		<-time.After(a.Every) // each finds out when it sends next
	})
}

// A batch's first frames are whole.
func TestFirstOfBatch(t *testing.T) {
	b := ask{Content: contentJSON, Size: 256, Deflate: deflateTakeover}.batch()
	rest := b.first(40)
	if !bytes.HasPrefix(b.frames, rest) {
		t.Fatal("they are not the first")
	}
	for n := range 40 {
		head, payload := parseHeader(rest)
		if head == 0 || head+payload > len(rest) {
			t.Fatalf("only %d are whole", n)
		}
		rest = rest[head+payload:]
	}
	if len(rest) > 0 {
		t.Errorf("%d bytes are too many", len(rest))
	}
}
