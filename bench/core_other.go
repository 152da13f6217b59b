//go:build !linux

package main

import "os/exec"

// startOn starts a process; here it cannot be told where to stay.
func startOn(cmd *exec.Cmd, _ core) error { return cmd.Start() }
