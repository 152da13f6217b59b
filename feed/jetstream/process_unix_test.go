//go:build unix

package jetstream

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A process plays a part.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Closer
	out   *bufio.Reader
	errs  lockedBuffer
	ended chan error // how it ended; it has room for that
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// starts starts a process. It is killed when the test ends.
func starts(t *testing.T, role string, p part) *process {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	w := &process{t: t, cmd: exec.Command(os.Args[0]), ended: make(chan error, 1)}
	w.cmd.Env = append(os.Environ(), roleVariable+"="+role, partVariable+"="+string(text))
	w.cmd.Stderr = &w.errs
	if w.stdin, err = w.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	w.out = bufio.NewReader(out)
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.kill()
		if t.Failed() {
			t.Logf("%s %s said:\n%s", role, p.Name, tail(w.errs.String()))
		}
	})
	return w
}

// kill ends the process at once, and waits for its end.
func (w *process) kill() {
	w.cmd.Process.Kill()
	w.waits()
}

// stops tells the process to end in good order, and requires that it does.
func (w *process) stops() {
	w.t.Helper()
	w.stdin.Close()
	if err := w.waits(); err != nil {
		w.t.Errorf("a process ended with %v", err)
	}
}

// waits waits for the end of the process, which may be asked for many times.
func (w *process) waits() error {
	select {
	case err := <-w.ended:
		w.ended <- err
		return err
	default:
	}
	err := w.cmd.Wait()
	w.ended <- err
	return err
}

func (w *process) signal(s syscall.Signal) {
	w.t.Helper()
	if err := w.cmd.Process.Signal(s); err != nil {
		w.t.Fatal(err)
	}
}

// A place is a server in a process of its own.
type place struct {
	t      *testing.T
	dir    string
	server *process
	url    string
}

func opens(t *testing.T) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir()}
	p.starts("127.0.0.1:0")
	js := p.client()
	create(t, js, Settings(partStream))
	if _, err := js.CreateKeyValue(t.Context(), CrewSettings(partBucket, time.Second)); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *place) starts(listen string) {
	p.t.Helper()
	p.server = starts(p.t, "server", part{Dir: p.dir, Listen: listen})
	line, err := p.server.out.ReadString('\n')
	if err != nil {
		p.t.Fatalf("the server does not start: %v\n%s", err, p.server.errs.String())
	}
	p.url = strings.TrimSpace(line)
}

// restarts kills the server and starts another one in its place.
func (p *place) restarts() {
	p.t.Helper()
	p.server.kill()
	p.starts(strings.TrimPrefix(p.url, "nats://"))
}

func (p *place) client() jetstream.JetStream {
	p.t.Helper()
	nc, err := nats.Connect(p.url, nats.MaxReconnects(-1))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(nc.Close)
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(30*time.Second)) // on a busy machine, too
	if err != nil {
		p.t.Fatal(err)
	}
	return js
}

// exact requires that each feed counts from 1 without a gap, to most if that is not
// 0. It returns how many records there are.
func (p *place) exact(feeds, most int) (records int) {
	p.t.Helper()
	at := map[string]int{}
	for r, err := range open(p.t, p.client(), partStream).Records(p.t.Context()) {
		if err != nil {
			p.t.Fatal(err)
		}
		records++
		if at[r.Feed]++; string(r.Data) != fmt.Sprintf("%s %d", r.Feed, at[r.Feed]) {
			p.t.Fatalf("record %d of %s holds %q", at[r.Feed], r.Feed, r.Data)
		}
	}
	for i := range feeds {
		if n := at[fmt.Sprint("feed.", i)]; n == 0 || most != 0 && n != most {
			p.t.Errorf("feed.%d has %d records, want %d", i, n, most)
		}
	}
	return records
}

// Workers are killed, one after another, and now and then the server is: nothing that
// they received is missing, doubled or out of order.
func TestKilled(t *testing.T) {
	t.Parallel()
	kills, feeds, most := pick(4, 100), pick(10, 20), pick(1000, 20_000)
	p := opens(t)
	told := part{URL: p.url, Feeds: feeds, Most: most, Batch: 200}
	for n := range kills {
		told.Name = fmt.Sprint("worker", n)
		w := starts(t, "worker", told)
		time.Sleep(time.Duration(50+rand.IntN(200)) * time.Millisecond)
		if n%4 == 3 {
			p.restarts()
			time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
		}
		w.kill()
	}
	told.Name = "last"
	last := starts(t, "worker", told)
	if err := last.waits(); err != nil {
		t.Fatalf("the last worker ended with %v\n%s", err, tail(last.errs.String()))
	}
	t.Logf("%d records, %d kills", p.exact(feeds, most), kills)
}

// A worker that is stopped loses its feeds to another. When it goes on, it writes
// nothing that is stale.
func TestStopped(t *testing.T) {
	t.Parallel()
	feeds, rounds := pick(20, 100), pick(1, 10)
	p := opens(t)
	told := part{URL: p.url, Feeds: feeds, Most: 1 << 30, Batch: 200, Crew: true, Pause: time.Millisecond}
	told.Name = "a"
	a := starts(t, "worker", told)
	told.Name = "b"
	b := starts(t, "worker", told)
	for range rounds {
		time.Sleep(time.Second)
		a.signal(syscall.SIGSTOP)
		time.Sleep(3 * time.Second) // three times what a key lives
		a.signal(syscall.SIGCONT)
	}
	time.Sleep(time.Second)
	a.stops()
	b.stops()
	t.Logf("%d records", p.exact(feeds, 0))
}

// Two workers that each take all feeds for their own, at the same time.
func TestTwoOwners(t *testing.T) {
	t.Parallel()
	feeds, lasts := pick(20, 100), pick(time.Second, time.Minute)
	p := opens(t)
	told := part{URL: p.url, Feeds: feeds, Most: 1 << 30, Batch: 200, Pause: time.Millisecond}
	told.Name = "a"
	a := starts(t, "worker", told)
	told.Name = "b"
	b := starts(t, "worker", told)
	time.Sleep(lasts)
	a.stops()
	b.stops()
	t.Logf("%d records", p.exact(feeds, 0))
}
