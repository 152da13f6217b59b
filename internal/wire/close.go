package wire

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"
)

// The errors of [ParseClose]. The first two are protocol errors (1002), the
// third is invalid payload data (1007).
var (
	// ErrCloseSize reports a Close frame with a body of one byte.
	//
	// "If there is a body, the first two bytes of the body MUST be a 2-byte
	// unsigned integer (in network byte order) representing a status code with
	// value /code/ defined in Section 7.4."
	// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.1
	ErrCloseSize = errors.New("the Close frame has a body of 1 byte, too short for a status code")

	// ErrCloseCode reports a status code that must not be in a Close frame.
	//
	// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.4
	ErrCloseCode = errors.New("the Close frame has a status code that must not be sent")

	// ErrCloseReason reports a reason that is not UTF-8.
	//
	// "Following the 2-byte integer, the body MAY contain UTF-8-encoded data
	// with value /reason/, the interpretation of which is not defined by this
	// specification."
	// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.1
	ErrCloseReason = errors.New("the Close frame has a reason that is not valid UTF-8")
)

// noStatus stands for the status code of a Close frame that has none.
//
// "If this Close control frame contains no status code, _The WebSocket
// Connection Close Code_ is considered to be 1005."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.1.5
const noStatus = 1005

// ParseClose reads the payload of a Close frame. It returns the code 1005 for
// an empty one. With [ErrCloseCode] and [ErrCloseReason], code is what the
// frame says and reason is empty; with [ErrCloseSize], code is 0. The errors
// are returned as they are, not wrapped.
func ParseClose(p []byte) (code int, reason string, err error) {
	switch len(p) {
	case 0:
		return noStatus, "", nil
	case 1:
		return 0, "", ErrCloseSize
	}
	code = int(binary.BigEndian.Uint16(p))
	if !receivable(code) {
		return code, "", ErrCloseCode
	}
	if !utf8.Valid(p[2:]) {
		return code, "", ErrCloseReason
	}
	return code, string(p[2:]), nil
}

// receivable reports whether code may be in a Close frame.
//
// "Status codes in the range 0-999 are not used."
//
// "Status codes in the range 1000-2999 are reserved for definition by this
// protocol, its future revisions, and extensions specified in a permanent and
// readily available public specification." Defined are 1000 to 1014, of which
// 1004 has no meaning yet, and 1005 and 1006, as 1015, MUST NOT be sent.
//
// "Status codes in the range 3000-3999 are reserved for use by libraries,
// frameworks, and applications."
//
// "Status codes in the range 4000-4999 are reserved for private use and thus
// can't be registered."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.4.2
//
// 1012 to 1014 came after the RFC.
// https://www.iana.org/assignments/websocket/websocket.xhtml#close-code-number
func receivable(code int) bool {
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014, code >= 3000 && code <= 4999:
		return true
	}
	return false
}

// AppendClose appends the payload of a Close frame to dst and returns the
// extended slice. For the code 1005 it appends nothing. The caller checks that
// code may be sent, and that reason is UTF-8 of at most [MaxControl]-2 bytes.
func AppendClose(dst []byte, code int, reason string) []byte {
	if code == noStatus {
		return dst
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, reason...)
}
