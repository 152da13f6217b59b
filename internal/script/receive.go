package script

import (
	"encoding/binary"
	"fmt"
	"io"
)

// A Received is a frame that came from the connection under test.
type Received struct {
	Frame
	Header   []byte // as it came, without the masking key
	IsMasked bool
	Key      [4]byte // the masking key, if masked
}

// String shows the frame's bytes, the payload unmasked.
func (r Received) String() string {
	s := fmt.Sprintf("%s, header [% x]", r.Frame, r.Header)
	if r.IsMasked {
		s += fmt.Sprintf(", key [% x]", r.Key)
	}
	return s
}

// String names the frame and shows its payload as bytes and as text.
func (f Frame) String() string {
	s := fmt.Sprintf("%s of %d bytes", opcodeName(f.Opcode), len(f.Payload))
	if !f.Fin {
		s += " without FIN"
	}
	if f.RSV != 0 {
		s += fmt.Sprintf(" with RSV %03b", f.RSV)
	}
	if len(f.Payload) > 0 {
		s += " " + show(f.Payload)
	}
	return s
}

// show shows at most the first 48 bytes.
func show(b []byte) string {
	const most = 48
	more := ""
	if len(b) > most {
		b, more = b[:most], "..."
	}
	return fmt.Sprintf("[% x%s] %q", b, more, b)
}

func opcodeName(op byte) string {
	switch op {
	case OpContinuation:
		return "continuation"
	case OpText:
		return "text"
	case OpBinary:
		return "binary"
	case OpClose:
		return "close"
	case OpPing:
		return "ping"
	case OpPong:
		return "pong"
	}
	return fmt.Sprintf("reserved opcode %#x", op)
}

// mostAtOnce bounds what a script believes of a length field.
const mostAtOnce = 1 << 30

// ReadFrame reads one frame as it comes; it judges nothing. The error is
// io.ErrUnexpectedEOF if the connection ends inside the frame.
func ReadFrame(r io.Reader) (f Received, err error) {
	head := make([]byte, 2, 10)
	if _, err := io.ReadFull(r, head); err != nil {
		return f, err
	}
	f.Fin, f.RSV, f.Opcode = head[0]&0x80 != 0, head[0]>>4&7, head[0]&0xF
	f.IsMasked = head[1]&0x80 != 0
	n, err := readLength(r, &head)
	f.Header = head
	if err != nil {
		return f, inside(err)
	}
	if f.IsMasked {
		if _, err := io.ReadFull(r, f.Key[:]); err != nil {
			return f, inside(err)
		}
	}
	if n > mostAtOnce {
		return f, fmt.Errorf("a frame of %d bytes", n)
	}
	f.Payload = make([]byte, n)
	if _, err = io.ReadFull(r, f.Payload); err != nil {
		return f, inside(err)
	}
	if f.IsMasked {
		f.Payload = mask(f.Key, f.Payload)
	}
	return f, nil
}

// readLength reads the extended length, if there is one, and appends it to the
// header.
func readLength(r io.Reader, head *[]byte) (uint64, error) {
	short := (*head)[1] & 0x7F
	var extended [8]byte
	switch short {
	case 126:
		_, err := io.ReadFull(r, extended[6:])
		*head = append(*head, extended[6:]...)
		return binary.BigEndian.Uint64(extended[:]), err
	case 127:
		_, err := io.ReadFull(r, extended[:])
		*head = append(*head, extended[:]...)
		return binary.BigEndian.Uint64(extended[:]), err
	}
	return uint64(short), nil
}

// inside says that an end of the connection came inside a frame.
func inside(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
