package main

import (
	"bytes"
	"compress/flate"
	"errors"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// batchBytes is about how much the server writes at a time.
const batchBytes = 256 << 10

// An ask is what a client's request path asks the server to do.
type ask struct {
	Content content
	Size    int
	Deflate compression
	Used    int           // messages that are sent before the silence
	Every   time.Duration // between two messages of a member of a fleet; 0: none
	ID      uint64        // names a sink, whose count is asked for later, or a fleet
}

func (a ask) encode() string {
	return url.Values{
		"content": {string(a.Content)},
		"size":    {strconv.Itoa(a.Size)},
		"deflate": {string(a.Deflate)},
		"used":    {strconv.Itoa(a.Used)},
		"every":   {a.Every.String()},
		"id":      {strconv.FormatUint(a.ID, 10)},
	}.Encode()
}

func parseAsk(values url.Values) (ask, error) {
	size, errSize := strconv.Atoi(values.Get("size"))
	used, errUsed := strconv.Atoi(values.Get("used"))
	every, errEvery := time.ParseDuration(values.Get("every"))
	id, errID := strconv.ParseUint(values.Get("id"), 10, 64)
	if err := errors.Join(errSize, errUsed, errEvery, errID); err != nil {
		return ask{}, err
	}
	return ask{
		Content: content(values.Get("content")),
		Size:    size,
		Deflate: compression(values.Get("deflate")),
		Used:    used,
		Every:   every,
		ID:      id,
	}, nil
}

// A batch is frames that may be written over and over.
type batch struct {
	frames []byte
	count  int
}

// first returns the first n frames.
func (b batch) first(n int) []byte {
	end := 0
	for range n {
		head, payload := parseHeader(b.frames[end:])
		end += head + payload
	}
	return b.frames[:end]
}

// batches are those that were asked for before. The zero value is ready. Its
// methods may be called at the same time.
type batches struct{ by sync.Map }

// of returns the batch of an ask, which may wait for another to prepare it.
func (b *batches) of(a ask) batch {
	a.ID, a.Used, a.Every = 0, 0, 0
	prepare, _ := b.by.LoadOrStore(a, sync.OnceValue(a.batch))
	return prepare.(func() batch)()
}

// batch prepares the frames that the server writes.
func (a ask) batch() batch {
	all := messages(a.Content, a.Size)
	first := byte(finalBit | opcodeText)
	if a.Content == contentBinary {
		first = finalBit | opcodeBinary
	}
	if a.Deflate != deflateOff {
		first |= rsv1Bit
		all = compress(all, a.Deflate)
	}
	var b batch
	for len(b.frames) < batchBytes {
		for _, m := range all {
			b.frames = append(appendHeader(b.frames, first, len(m)), m...)
		}
		b.count += len(all)
		if a.Deflate == deflateTakeover {
			break // the second round would be compressed against the first
		}
	}
	return b
}

// compress deflates messages as RFC 7692 frames them. With context takeover
// the whole may be repeated: its first message refers to nothing before it.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.2.1
func compress(all [][]byte, mode compression) [][]byte {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		panic(err) // only a bad level fails
	}
	packed := make([][]byte, len(all))
	for i, m := range all {
		if mode == deflateFresh {
			w.Reset(&out)
		}
		out.Reset()
		w.Write(m) // a bytes.Buffer takes everything
		w.Flush()
		packed[i] = bytes.Clone(bytes.TrimSuffix(out.Bytes(), []byte{0, 0, 0xff, 0xff}))
	}
	return packed
}
