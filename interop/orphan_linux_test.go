package interop

import (
	"os/exec"
	"syscall"
)

// dieWithUs has the kernel end the process if this one ends without doing it,
// as it does after a panic.
func dieWithUs(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
