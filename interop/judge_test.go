package interop

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/wsflow/wsflow/deflate"
	"github.com/wsflow/wsflow/stream"
)

var zlibPython = []string{"/usr/bin/python3", "-c", "import zlib"}

// What is compressed with a window must be inflated by zlib with one of exactly
// that size.
func TestWindowsAreKept(t *testing.T) {
	needsZlib(t)
	for bits := 8; bits <= 15; bits++ {
		for _, level := range []int{1, 5} {
			for name, messages := range map[string][]stream.Message{"JSON": compressible(200), "repeated": repeated(1 << bits)} {
				t.Run(fmt.Sprintf("%d bits/level %d/%s", bits, level, name), func(t *testing.T) {
					sent := compressed(t, bits, level, messages)
					got, err := inflated(bits, sent)
					if err != nil {
						t.Fatalf("zlib: %v", err)
					}
					isSmaller(t, sent, messages)
					for i, m := range messages {
						if i >= len(got) || !bytes.Equal(got[i], m.Data) {
							t.Fatalf("message %d of %d is not what was sent", i, len(messages))
						}
					}
				})
			}
		}
	}
}

// zlib must refuse what was compressed with a larger window, or the test above
// would say nothing.
func TestWindowsAreJudged(t *testing.T) {
	needsZlib(t)
	for bits := 8; bits < 15; bits++ {
		messages := repeated(1<<bits + 100)
		_, err := inflated(bits, compressed(t, bits+1, 5, messages))
		if err == nil || !strings.Contains(err.Error(), "too far back") {
			t.Errorf("%d bits, of %d that are needed: zlib says %v", bits, bits+1, err)
		}
	}
}

func needsZlib(t *testing.T) {
	t.Helper()
	if err := exec.Command(zlibPython[0], zlibPython[1:]...).Run(); err != nil {
		missing(t, fmt.Sprintf("%q: %v", zlibPython, err))
	}
}

// repeated are messages in which nothing long but one period repeats itself.
// They have four letters, so that each of them is worth compressing.
func repeated(period int) (messages []stream.Message) {
	block := make([]byte, period)
	rand.NewChaCha8([32]byte{8}).Read(block)
	for i := range block {
		block[i] = 'a' + block[i]%4
	}
	rest := bytes.Repeat(block, 3)
	for n := 500; len(rest) > 0; n = n*3/2 + 1 {
		n = min(n, len(rest))
		messages = append(messages, stream.Message{Type: stream.Binary, Data: rest[:n]})
		rest = rest[n:]
	}
	return messages
}

// isSmaller sees that there was something to judge.
func isSmaller(t *testing.T, sent [][]byte, messages []stream.Message) {
	t.Helper()
	before, after := 0, 0
	for i, m := range messages {
		before += len(m.Data)
		after += len(sent[i])
	}
	if after > before*9/10 {
		t.Errorf("%d bytes were compressed to %d", before, after)
	}
}

// compressed returns the payloads of the messages as a client sends them.
func compressed(t *testing.T, bits, level int, messages []stream.Message) (payloads [][]byte) {
	t.Helper()
	offer := deflate.New(&deflate.Options{
		Setups: []deflate.Setup{{LocalMaxWindowBits: bits}}, Threshold: -1, Level: level,
	})
	operator, err := offer.Accept("permessage-deflate")
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	defer far.Close()
	conn, err := stream.New(near, stream.Client, &stream.Options{Operators: []stream.Operator{operator}, FragmentSize: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow(nil)
	sent := make(chan error, 1)
	go func() { // until all is sent, or far is closed
		var err error
		for _, m := range messages {
			err = errors.Join(err, conn.Send(t.Context(), m))
		}
		sent <- err
	}()
	for range messages {
		payloads = append(payloads, readMessage(t, far))
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	return payloads
}

// readMessage reads a compressed message in one masked frame and returns its
// payload.
func readMessage(t *testing.T, r io.Reader) []byte {
	t.Helper()
	head := readN(t, r, 2)
	if head[0]&0xF0 != 0xC0 || head[1]&0x80 == 0 {
		t.Fatalf("a frame begins with %x, want FIN, RSV1 and a mask", head)
	}
	n := uint64(head[1] & 0x7F)
	switch n {
	case 126:
		n = uint64(binary.BigEndian.Uint16(readN(t, r, 2)))
	case 127:
		n = binary.BigEndian.Uint64(readN(t, r, 8))
	}
	key, payload := readN(t, r, 4), readN(t, r, int(n))
	for i := range payload {
		payload[i] ^= key[i%4]
	}
	return payload
}

func readN(t *testing.T, r io.Reader, n int) []byte {
	t.Helper()
	p := make([]byte, n)
	if _, err := io.ReadFull(r, p); err != nil {
		t.Fatal(err)
	}
	return p
}

// inflated has zlib inflate payloads in a window of so many bits.
func inflated(bits int, payloads [][]byte) (messages [][]byte, err error) {
	var in, errs bytes.Buffer
	for _, p := range payloads {
		in.Write(binary.BigEndian.AppendUint32(nil, uint32(len(p))))
		in.Write(p)
	}
	cmd := exec.Command("/usr/bin/python3", "python/inflate.py", fmt.Sprint(bits))
	cmd.Stdin, cmd.Stderr = &in, &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, lastLine(errs.Bytes()))
	}
	for len(out) > 0 {
		n := binary.BigEndian.Uint32(out)
		messages, out = append(messages, out[4:4+n]), out[4+n:]
	}
	return messages, nil
}
