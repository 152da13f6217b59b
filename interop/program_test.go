package interop

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// inCI says that everything must be there to be tested against.
var inCI = os.Getenv("CI") == "true"

// missing skips the test because something is not installed, but fails it
// where everything has to be.
func missing(t *testing.T, what string) {
	t.Helper()
	if inCI {
		t.Fatalf("%s: run interop/install.sh", what)
	}
	t.Skipf("%s: interop/install.sh installs it", what)
}

// A program is a server that runs in a process of its own. Its check fails if
// what it needs is not installed.
type program struct {
	command []string
	check   []string
}

// start starts the program, until the test ends, and waits until it listens.
func (p program) start(t *testing.T, all []setting) *server {
	t.Helper()
	if out, err := exec.Command(p.check[0], p.check[1:]...).CombinedOutput(); err != nil {
		missing(t, fmt.Sprintf("%q: %v: %s", p.check, err, lastLine(out)))
	}
	command := slices.Clone(p.command)
	for _, s := range all {
		command = append(command, s.String())
	}
	out := run(t, func(*exec.Cmd) {}, command...)
	s := &server{seen: newSightings()}
	urls := map[setting]string{}
	for len(urls) < len(all) {
		word, rest := out.line(t)
		switch word {
		case "version":
			s.version = rest
		case "listening":
			urls[all[len(urls)]] = "ws://127.0.0.1:" + rest
		}
	}
	s.url = urlOf(urls)
	go out.each(s.saw) // until the process ends
	return s
}

// saw takes a line that tells of a Close frame.
func (s *server) saw(word, rest string) {
	number, reason, _ := strings.Cut(rest, " ")
	if code, err := strconv.Atoi(number); word == "closed" && err == nil {
		s.seen.add(code, reason)
	}
}

// An output is what a process writes, line by line.
type output struct{ lines *bufio.Scanner }

// run starts a process and ends it with the test.
func run(t *testing.T, configure func(*exec.Cmd), command ...string) output {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience // then it is killed
	configure(cmd)
	var errs bytes.Buffer
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = &errs
	dieWithUs(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		cmd.Wait()
		if t.Failed() && errs.Len() > 0 {
			t.Logf("%v wrote: %s", cmd.Args, errs.Bytes())
		}
	})
	return output{bufio.NewScanner(stdout)}
}

// line waits for the next line and returns its first word and the rest.
func (o output) line(t *testing.T) (word, rest string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	read := make(chan bool, 1)
	go func() { read <- o.lines.Scan() }() // until the process writes or ends
	select {
	case ok := <-read:
		if !ok {
			t.Fatal("the server ended before it listened")
		}
	case <-ctx.Done():
		t.Fatal("the server does not listen")
	}
	word, rest, _ = strings.Cut(o.lines.Text(), " ")
	return word, rest
}

// each hands over all further lines.
func (o output) each(f func(word, rest string)) {
	for o.lines.Scan() {
		word, rest, _ := strings.Cut(o.lines.Text(), " ")
		f(word, rest)
	}
}

func lastLine(b []byte) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return lines[len(lines)-1]
}
