package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// partVariable tells a process of this program which part it plays: one that
// has it is not the one that the user started.
const partVariable = "WSFLOW_BENCH_PART"

// An address is where the server's process listens.
type address struct {
	Plain, Secure string
	Roots         []byte
}

// A core says where a process runs.
type core int

const (
	anyCore core = iota
	firstCore
	lastCore
)

// playPart does what a started process is for, and reports whether this is
// one.
func playPart() (played bool, err error) {
	switch os.Getenv(partVariable) {
	case "":
		return false, nil
	case "server":
		return true, playServer()
	case "list":
		return true, playList()
	default:
		return true, playClient()
	}
}

// playServer serves until its standard input ends, which the parent holds.
func playServer() error {
	s, err := newServer()
	if err != nil {
		return err
	}
	defer s.close()
	s.serve()
	where := address{Plain: s.plain.Addr().String(), Secure: s.secure.Addr().String(), Roots: s.roots}
	if err := json.NewEncoder(os.Stdout).Encode(where); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// playClient does the job that stands in its standard input.
func playClient() error {
	var j job
	if err := json.NewDecoder(os.Stdin).Decode(&j); err != nil {
		return err
	}
	found, err := j.measure()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

// command prepares another process to play a part: of this program, if the path of
// that is empty, otherwise of another.
func command(ctx context.Context, program, part string) (*exec.Cmd, error) {
	if program == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		program = self
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(os.Environ(), partVariable+"="+part)
	return cmd, nil
}

// startServer starts the server's process. What it returns ends it.
func startServer(ctx context.Context, on core) (where address, stop func() error, err error) {
	cmd, err := command(ctx, "", "server")
	if err != nil {
		return where, nil, err
	}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return where, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return where, nil, err
	}
	if err := startOn(cmd, on); err != nil {
		return where, nil, err
	}
	stop = func() error { return errors.Join(in.Close(), cmd.Wait()) }
	if err := json.NewDecoder(out).Decode(&where); err != nil {
		return where, nil, errors.Join(err, stop())
	}
	return where, stop, nil
}

// core is where the job is done. Of an echo one side waits while the other works:
// left to the scheduler, they meet on one core or fall asleep on two, and the time
// tells which. So each has a core of its own.
func (j job) core() core {
	if j.Workload.Operation == opEcho {
		return lastCore
	}
	return anyCore
}

// apart does a job in a process of its own.
func (j job) apart(ctx context.Context) (sample, error) {
	var found sample
	cmd, err := command(ctx, j.program, "client")
	if err != nil {
		return found, err
	}
	task, err := json.Marshal(j)
	if err != nil {
		return found, err
	}
	var out, complaint bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(task), &out, &complaint
	if err = startOn(cmd, j.core()); err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return found, fmt.Errorf("bench: %s with %s: %w\n%s", j.Workload.Name, j.name(), err, complaint.Bytes())
	}
	err = json.Unmarshal(out.Bytes(), &found)
	return found, err
}
