package main

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"io"
	"net"
	"slices"
	"testing"
)

func TestHeader(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20} {
		header := appendHeader(nil, finalBit|opcodeBinary, n)
		head, payload := parseHeader(header)
		if head != len(header) || payload != n {
			t.Errorf("%x is read as a header of %d and a payload of %d, not of %d and %d", header, head, payload, len(header), n)
		}
		header[1] |= maskBit
		if head, _ := parseHeader(append(header, 1, 2, 3, 4)); head != len(header)+4 {
			t.Errorf("%x with a masking key is read as a header of %d", header, head)
		}
		for cut := range len(header) {
			if head, _ := parseHeader(header[:cut]); head != 0 {
				t.Errorf("the first %d bytes of %x are taken for a header", cut, header)
			}
		}
	}
}

// A sink counts whole messages and their bytes, however they are cut, and not
// the control frames between them.
func TestSinkCounts(t *testing.T) {
	var sent []byte
	for _, n := range []int{0, 64, 300, 70_000} {
		sent = append(sent, masked(finalBit|opcodeBinary, n)...)
	}
	sent = append(sent, masked(opcodeText, 10)...) // a message in two fragments
	sent = append(sent, masked(finalBit|0x9, 5)...)
	sent = append(sent, masked(finalBit, 20)...)
	want := count{Messages: 5, Bytes: len(sent) - (6 + 5)}
	sent = append(sent, masked(finalBit|opcodeClose, 0)...)
	for _, piece := range []int{1, 7, 4096, len(sent)} {
		var all sinks
		client, server := net.Pipe()
		done := all.open(1)
		go func() {
			defer done()
			defer server.Close()
			all.run(1, server)
		}()
		go func() {
			for part := range slices.Chunk(sent, piece) {
				client.Write(part)
			}
		}()
		reply, err := io.ReadAll(client)
		if err != nil || !bytes.Equal(reply, []byte{finalBit | opcodeClose, 0}) {
			t.Errorf("in pieces of %d: the Close was answered with %x, %v", piece, reply, err)
		}
		if got := all.count(1); got != want {
			t.Errorf("in pieces of %d: counted %+v, sent %+v", piece, got, want)
		}
	}
}

// masked returns a frame as a client sends it.
func masked(first byte, n int) []byte {
	frame := appendHeader(nil, first, n)
	frame[1] |= maskBit
	return append(append(frame, 1, 2, 3, 4), make([]byte, n)...)
}

func TestMessages(t *testing.T) {
	for _, size := range []int{64, 256, 4 << 10, 64 << 10} {
		all := messages(contentJSON, size)
		for _, m := range all {
			if len(m) != size {
				t.Fatalf("a message of %d bytes has %d", size, len(m))
			}
			if !json.Valid(m) {
				t.Fatalf("not JSON: %.100s", m)
			}
		}
		if !slices.EqualFunc(all, messages(contentJSON, size), bytes.Equal) {
			t.Errorf("messages of %d bytes differ from one process to the next", size)
		}
		if total := len(all) * size; total < 4<<15 {
			t.Errorf("messages of %d bytes repeat themselves after %d, within sight of a compressor", size, total)
		}
	}
}

// A client that inflates what the server repeats finds the messages.
func TestBatchInflates(t *testing.T) {
	for _, mode := range []compression{deflateTakeover, deflateFresh} {
		b := ask{Content: contentJSON, Size: 256, Deflate: mode}.batch()
		want := messages(contentJSON, 256)
		if b.count%len(want) != 0 {
			t.Fatalf("a batch of %d messages cannot be repeated", b.count)
		}
		rest := append(slices.Clone(b.frames), b.frames...)
		var window []byte
		for i := range 2 * b.count {
			head, payload := parseHeader(rest)
			if rest[0] != finalBit|rsv1Bit|opcodeText {
				t.Fatalf("message %d begins with %#x", i, rest[0])
			}
			got := inflate(t, rest[head:head+payload], window)
			if !bytes.Equal(got, want[i%len(want)]) {
				t.Fatalf("%s: message %d is %q", mode, i, got)
			}
			if mode == deflateTakeover {
				window = append(window, got...)
				window = window[max(0, len(window)-1<<15):]
			}
			rest = rest[head+payload:]
		}
	}
}

func inflate(t *testing.T, packed, window []byte) []byte {
	tail := []byte{0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff}
	r := flate.NewReaderDict(io.MultiReader(bytes.NewReader(packed), bytes.NewReader(tail)), window)
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
