package main

import "fmt"

// An operation is what a client does in a workload.
type operation string

const (
	opReceive operation = "receive" // take messages off a connection that is always full
	opSend    operation = "send"    // write messages as fast as they are accepted
	opEcho    operation = "echo"    // one message there and back at a time
	opHold    operation = "hold"    // keep many connections open and silent
	opFleet   operation = "fleet"   // take the messages of many connections in one place
)

// A content is what messages are made of.
type content string

const (
	contentBinary content = "binary" // random bytes
	contentText   content = "text"   // one line of ASCII, checked as UTF-8 by each client
	contentJSON   content = "json"   // many different JSON documents, sent as text
)

// A compression is what a workload asks of permessage-deflate, both ways.
type compression string

const (
	deflateOff      compression = ""         // not negotiated
	deflateTakeover compression = "takeover" // each message builds on those before it
	deflateFresh    compression = "fresh"    // each message stands alone
)

// A workload is one thing to measure, and the libraries that it compares.
type workload struct {
	Name        string
	Operation   operation
	Content     content
	Size        int // bytes of a message
	TLS         bool
	Deflate     compression
	Used        int  // hold: so many different messages go each way before the silence
	Connections int  // fleet: how many, at the most
	Paced       bool // fleet: a message a second on each connection, not as many as go through
	Buffered    bool // receive through rxgo: the observers' channels have buffers
	among       []*library
}

// workloads lists everything that is measured.
func workloads() []workload {
	var all []workload
	for _, secure := range []bool{false, true} {
		all = append(all, throughput(secure)...)
	}
	for _, secure := range []bool{false, true} {
		all = append(all, gathered(secure)...)
	}
	observables := workload{
		Name: "observable/64B", Operation: opReceive, Content: contentBinary, Size: 64,
		among: []*library{rxgoDefer, wsflowObservable, wsflowObservableBatches},
	}
	buffered := observables
	buffered.Name, buffered.Buffered = observables.Name+"-buffered", true
	all = append(all, observables, buffered)
	all = append(all, compressed()...)
	return append(all, idle()...)
}

func throughput(secure bool) []workload {
	prefix := ""
	if secure {
		prefix = "tls/"
	}
	receivers := []*library{
		bare,
		coderLibrary, gorillaLibrary, gwsLibrary, gobwasLibrary,
		coderTuned, gorillaTuned, gwsTuned, gobwasTuned,
		wsflowAll, wsflowChan, wsflowBatches,
	}
	senders := []*library{coderLibrary, gorillaLibrary, gwsLibrary, gobwasLibrary, wsflowSend, wsflowSink}
	echoers := []*library{bare, coderLibrary, gorillaLibrary, gwsLibrary, gobwasLibrary, wsflowAll}
	all := []workload{
		{Name: "receive/64B", Operation: opReceive, Content: contentBinary, Size: 64, among: receivers},
		{Name: "receive/64B-text", Operation: opReceive, Content: contentText, Size: 64, among: receivers},
		{Name: "receive/1KiB", Operation: opReceive, Content: contentBinary, Size: 1 << 10, among: receivers},
		{Name: "receive/64KiB", Operation: opReceive, Content: contentBinary, Size: 64 << 10, among: receivers},
		{Name: "send/64B", Operation: opSend, Content: contentBinary, Size: 64, among: senders},
		{Name: "send/1KiB", Operation: opSend, Content: contentBinary, Size: 1 << 10, among: senders},
		{Name: "send/64KiB", Operation: opSend, Content: contentBinary, Size: 64 << 10, among: senders},
		{Name: "echo/64B", Operation: opEcho, Content: contentBinary, Size: 64, among: echoers},
	}
	for i := range all {
		all[i].Name = prefix + all[i].Name
		all[i].TLS = secure
	}
	return all
}

// gathered has many connections whose messages meet in one place.
func gathered(secure bool) []workload {
	prefix := ""
	if secure {
		prefix = "tls/"
	}
	among := []*library{
		coderLibrary, gorillaLibrary, gwsLibrary, gobwasLibrary,
		wsflowAll, wsflowChan, wsflowBatches, wsflowCallbacks, wsflowGroup,
	}
	var all []workload
	for _, n := range []int{100, 1000} {
		for _, size := range []int{64, 1 << 10, 64 << 10} {
			all = append(all, workload{
				Name:      fmt.Sprintf("%sfleet/%d/%s", prefix, n, bytesName(size)),
				Operation: opFleet, Content: contentBinary, Size: size, TLS: secure, Connections: n, among: among,
			})
		}
	}
	return append(all, workload{
		Name:      prefix + "fleet/10000/64B-paced",
		Operation: opFleet, Content: contentBinary, Size: 64, TLS: secure, Connections: 10000, Paced: true, among: among,
	})
}

func compressed() []workload {
	var all []workload
	for _, mode := range []compression{deflateTakeover, deflateFresh} {
		for _, size := range []int{256, 4 << 10, 64 << 10} {
			for _, op := range []operation{opReceive, opSend} {
				w := workload{
					Name:      fmt.Sprintf("deflate/%s/%s/%s", mode, op, bytesName(size)),
					Operation: op, Content: contentJSON, Size: size, Deflate: mode,
					among: []*library{coderLibrary, coderTuned, gwsLibrary, wsflowAll},
				}
				if op == opSend {
					w.among = []*library{coderLibrary, gwsLibrary, wsflowSend, wsflowSink}
				}
				all = append(all, w)
			}
		}
	}
	return all
}

func idle() []workload {
	holders := []*library{
		bare, coderLibrary, gorillaLibrary, gwsLibrary, gobwasLibrary,
		wsflowBare, wsflowAll, wsflowChan, wsflowBatches, wsflowCallbacks,
	}
	deflaters := []*library{coderLibrary, gwsLibrary, wsflowAll}
	return []workload{
		{Name: "idle/tcp", Operation: opHold, among: holders},
		{Name: "idle/tls", Operation: opHold, TLS: true, among: holders},
		{Name: "idle/tcp-deflate", Operation: opHold, Deflate: deflateTakeover, among: deflaters},
		{Name: "idle/tls-deflate", Operation: opHold, TLS: true, Deflate: deflateTakeover, among: deflaters},
		{
			Name: "idle/deflate-used", Operation: opHold, Content: contentJSON, Size: 4 << 10,
			Deflate: deflateTakeover, Used: 1, among: deflaters,
		},
		{
			Name: "idle/deflate-used-40", Operation: opHold, Content: contentJSON, Size: 1 << 10,
			Deflate: deflateTakeover, Used: 40, among: deflaters,
		},
	}
}

// figure is the number that the workload is about.
func (w workload) figure() figure {
	switch {
	case w.Operation == opHold:
		return figureMemory
	case w.Paced: // all take as many as are sent
		return figureCPU
	default:
		return figureRate
	}
}

// bytesName writes a size as 64B or 4KiB.
func bytesName(n int) string {
	if n < 1<<10 {
		return fmt.Sprintf("%dB", n)
	}
	return fmt.Sprintf("%dKiB", n>>10)
}

// find returns the library that takes part in the workload under a name. A
// workload that came from another process brings no libraries along.
func (w workload) find(name string) (*library, error) {
	for _, listed := range workloads() {
		if listed.Name != w.Name {
			continue
		}
		for _, l := range listed.among {
			if l.name == name {
				return l, nil
			}
		}
	}
	return nil, fmt.Errorf("bench: %s takes no part in %s", name, w.Name)
}
