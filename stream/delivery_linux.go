//go:build linux && !386

package stream

import (
	"encoding/binary"
	"syscall"
	"unsafe"
)

// In struct tcp_info, tcpi_bytes_acked is the number of bytes that were
// acknowledged.
const (
	tcpInfoAcked = 120
	tcpInfoSize  = tcpInfoAcked + 8
)

// tcpCounts asks for the acknowledged bytes first: those that are acknowledged
// between the two questions may be missing in the sum, but are never too many.
func tcpCounts(fd uintptr) (acknowledged, waiting int64, ok bool) {
	var info [tcpInfoSize]byte
	size := uint32(len(info))
	_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP, syscall.TCP_INFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0, 0, false
	}
	acknowledged, ok = parseTCPInfo(info[:min(int(size), len(info))])
	if !ok {
		return 0, 0, false
	}
	var queued int32
	_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&queued)))
	return acknowledged, int64(queued), errno == 0
}

// parseTCPInfo returns the number of acknowledged bytes. Kernels before 4.1 give
// less of the struct, and systems that only act as Linux fill it with zeros.
func parseTCPInfo(info []byte) (acknowledged int64, ok bool) {
	if len(info) < tcpInfoSize {
		return 0, false
	}
	acknowledged = int64(binary.NativeEndian.Uint64(info[tcpInfoAcked:]))
	return acknowledged, acknowledged > 0
}
