package main

import (
	"fmt"
	"slices"
)

// labels are what charts call the libraries that workloads know by a short name.
var labels = map[string]string{
	bare.name:                    "no library",
	coderLibrary.name:            "coder/websocket",
	gorillaLibrary.name:          "gorilla/websocket",
	gwsLibrary.name:              "lxzan/gws",
	gobwasLibrary.name:           "gobwas/ws",
	coderTuned.name:              "coder, Reader",
	gorillaTuned.name:            "gorilla, NextReader",
	gobwasTuned.name:             "gobwas, Reader",
	rxgoDefer.name:               "rxgo's own Defer",
	wsflowAll.name:               "wsflow, loop",
	wsflowChan.name:              "wsflow, channel",
	wsflowBatches.name:           "wsflow, batches",
	wsflowCallbacks.name:         "wsflow, callback",
	wsflowSend.name:              "wsflow, Send",
	wsflowSink.name:              "wsflow, sink channel",
	wsflowObservable.name:        "wsflow, Observable",
	wsflowObservableBatches.name: "wsflow, Observable of batches",
}

// label is what a chart calls the library.
func (j job) label() string {
	label, ok := labels[j.Library]
	if !ok {
		label = j.Library
	}
	if j.program != "" {
		return nameBefore(label)
	}
	return label
}

// title is what a chart calls the workload.
func (w workload) title() string {
	var s string
	switch w.Operation {
	case opReceive, opSend:
		s = fmt.Sprintf("%s %s", w.Operation, w.things())
	case opEcho:
		s = w.things() + " there and back"
	case opHold:
		return w.idleTitle()
	case opFleet:
		s = fmt.Sprintf("%d connections, %s", w.Connections, w.things())
		if w.Paced {
			s += " a second"
		}
	}
	if slices.Contains(w.among, rxgoDefer) {
		s += " through rxgo"
	}
	switch w.Deflate {
	case deflateTakeover:
		s += ", context takeover"
	case deflateFresh:
		s += ", no context takeover"
	}
	if w.Buffered {
		s += ", buffered"
	}
	return s
}

func (w workload) things() string {
	size := fmt.Sprintf("%d B", w.Size)
	if w.Size >= 1<<10 {
		size = fmt.Sprintf("%d KiB", w.Size>>10)
	}
	switch w.Content {
	case contentText:
		return size + " of text"
	case contentJSON:
		return size + " of JSON"
	default:
		return size
	}
}

func (w workload) idleTitle() string {
	s := "over TCP"
	if w.TLS {
		s = "over TLS"
	}
	switch {
	case w.Used > 0:
		return fmt.Sprintf("%s, after %d compressed messages of %s", s, w.Used, w.things())
	case w.Deflate != deflateOff:
		return s + ", compression agreed on"
	default:
		return s
	}
}
