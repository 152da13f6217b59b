package heartbeat_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/stream"
)

// serverVariable makes this test's program a server of one connection.
const serverVariable = "WSFLOW_TEST_SERVER"

func init() {
	if os.Getenv(serverVariable) == "" {
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	nc, err := l.Accept()
	if err != nil {
		panic(err)
	}
	c, err := stream.New(nc, stream.Server, nil)
	if err != nil {
		panic(err)
	}
	for range c.All(context.Background()) {
	}
	os.Exit(0)
}

// startServer starts a server in a process of its own, until the test ends.
func startServer(t *testing.T) (process *os.Process, addr string) {
	t.Helper()
	runtime.LockOSThread() // whose end would end the process
	t.Cleanup(runtime.UnlockOSThread)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serverVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return cmd.Process, strings.TrimSpace(line)
}

// TestStoppedServer has a server whose process is stopped: its system goes on to
// acknowledge what this side sends, 100 bytes a second.
func TestStoppedServer(t *testing.T) {
	process, addr := startServer(t)
	near, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	beat := heartbeat.New(&heartbeat.Options{Interval: 100 * time.Millisecond, Timeout: 500 * time.Millisecond})
	client, err := stream.New(near, stream.Client, operators(beat))
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseNow(errOver)
	beats := make(chan heartbeat.RTT, 1000)
	state(t, client).OnRTT(func(r heartbeat.RTT) { beats <- r })
	takeAll(client)
	sent := make(chan int)
	go func() { // until the connection ends
		ticks := time.NewTicker(10 * time.Millisecond)
		defer ticks.Stop()
		n := 0
		for client.SendText(context.Background(), "!") == nil {
			n++
			<-ticks.C
		}
		sent <- n
	}()
	for range 3 {
		<-beats
	}
	process.Signal(syscall.SIGSTOP)
	stopped := time.Now()
	wantSilence(t, client)
	t.Logf("dropped %v after the server had been stopped, %d messages were sent", time.Since(stopped), <-sent)
}
