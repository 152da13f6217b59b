package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// A job is one measurement: one library, one workload, one process.
type job struct {
	Workload    workload
	Library     string
	Kind        kind
	Server      address
	Window      time.Duration
	Connections int           // hold and fleet: how many
	Every       time.Duration // fleet, paced: between two messages of a connection
	ID          uint64        // of the measurement

	program string // an earlier's; empty: this one
}

// name is what the report calls the library.
func (j job) name() string {
	if j.program != "" {
		return nameBefore(j.Library)
	}
	return j.Library
}

func (j job) target() target {
	w := j.Workload
	t := target{
		Addr: j.Server.Plain, Operation: w.Operation,
		Text: w.Content != contentBinary, Size: w.Size, Deflate: w.Deflate, Buffered: w.Buffered,
	}
	if w.TLS {
		t.Addr = j.Server.Secure
		t.secure(j.Server.Roots)
	}
	path := map[operation]string{opReceive: "/blast", opSend: "/sink", opEcho: "/echo", opHold: "/hold", opFleet: "/fleet"}
	t.Path = path[w.Operation] + "?" + j.ask().encode()
	return t
}

func (j job) ask() ask {
	w := j.Workload
	a := ask{Content: w.Content, Size: w.Size, Deflate: w.Deflate, Used: w.Used, ID: j.ID}
	if w.Paced {
		a.Every = j.Every
	}
	return a
}

// measure does a job in this process.
func (j job) measure() (sample, error) {
	library, err := j.Workload.find(j.Library)
	if err != nil {
		return sample{}, err
	}
	switch j.Workload.Operation {
	case opReceive:
		return j.receive(library)
	case opSend:
		return j.send(library)
	case opEcho:
		return j.echo(library)
	case opFleet:
		return j.fleet(library)
	default:
		return j.hold(library)
	}
}

func (j job) receive(library *library) (sample, error) {
	tally := newTally(j.Window)
	if err := library.receive(j.target(), tally); err != nil {
		return sample{}, err
	}
	given, err := j.count("/given")
	if err != nil {
		return sample{}, err
	}
	found, err := tally.sample()
	found.Wire = given.each()
	return found, err
}

// send also asks the server whether everything came.
func (j job) send(library *library) (sample, error) {
	w, tally := j.Workload, newTally(j.Window)
	if err := library.send(j.target(), &deck{messages: messages(w.Content, w.Size)}, tally); err != nil {
		return sample{}, err
	}
	taken, err := j.count("/taken")
	if err != nil {
		return sample{}, err
	}
	if taken.Messages != tally.messages {
		return sample{}, fmt.Errorf("bench: %d messages were sent, and %d came", tally.messages, taken.Messages)
	}
	found, err := tally.sample()
	found.Wire = taken.each()
	return found, err
}

// count asks the server what it gives each client of this workload, or what it
// has taken from this one once its connection has ended.
func (j job) count(path string) (count, error) {
	var c count
	response, err := http.Get("http://" + j.Server.Plain + path + "?" + j.ask().encode())
	if err != nil {
		return c, err
	}
	defer response.Body.Close()
	err = json.NewDecoder(response.Body).Decode(&c)
	return c, err
}

func (j job) echo(library *library) (sample, error) {
	tally := newTally(j.Window)
	message := messages(j.Workload.Content, j.Workload.Size)[0]
	if err := library.echo(j.target(), message, tally); err != nil {
		return sample{}, err
	}
	return tally.sample()
}
