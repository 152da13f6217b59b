package jetstream

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/wsflow/wsflow/feed"
	"github.com/wsflow/wsflow/feed/jetstream/embedded"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// The test binary plays the parts of servers and workers, in processes that may be
// killed. What a process is to do stands in these variables of its environment.
const (
	roleVariable = "WSFLOW_TEST_ROLE"
	partVariable = "WSFLOW_TEST_PART"
)

// A part is what a process is told.
type part struct {
	Name        string
	Dir, Listen string // of a server

	Cluster string   // where a member of a cluster listens for the others
	Routes  []string // where they all do

	URL    string // of the server of a worker
	Feeds  int
	Most   int // messages of a feed
	Batch  int
	Crew   bool
	Pause  time.Duration // between two messages of a feed
	Linger time.Duration
}

const partStream, partBucket = "FEEDS", "crew"

// play does what a process is told, until it has done it or its parent has gone.
func play(role string) {
	var p part
	if err := json.Unmarshal([]byte(os.Getenv(partVariable)), &p); err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { // ends with the process
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	var err error
	switch role {
	case "server":
		err = p.serve(ctx)
	case "member":
		err = p.join(ctx)
	case "worker":
		err = p.work(ctx)
	}
	if err != nil {
		log.Fatalf("%s: %v", role, err)
	}
}

func (p *part) serve(ctx context.Context) error {
	s, err := embedded.Start(&embedded.Options{Dir: p.Dir, Listen: p.Listen})
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Println(s.URL())
	<-ctx.Done()
	return nil
}

// join is a member of a cluster.
func (p *part) join(ctx context.Context) error {
	client, err := net.ResolveTCPAddr("tcp", p.Listen)
	if err != nil {
		return err
	}
	others, err := net.ResolveTCPAddr("tcp", p.Cluster)
	if err != nil {
		return err
	}
	s, err := server.NewServer(&server.Options{
		ServerName: p.Name, Host: client.IP.String(), Port: client.Port, JetStream: true, StoreDir: p.Dir, NoSigs: true,
		Cluster: server.ClusterOpts{Name: "members", Host: others.IP.String(), Port: others.Port},
		Routes:  server.RoutesFromStr("nats://" + strings.Join(p.Routes, ",nats://")),
	})
	if err != nil {
		return err
	}
	s.Start()
	<-ctx.Done()
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}

func (p *part) work(ctx context.Context) error {
	nc, err := nats.Connect(p.URL, nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond), nats.RetryOnFailedConnect(true))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(2*time.Second))
	if err != nil {
		return err
	}
	store, err := NewStore(ctx, js, partStream)
	if err != nil {
		return err
	}
	logger, err := zap.NewDevelopment()
	if err != nil {
		return err
	}
	logger = logger.Named(p.Name)
	job := &feed.Job{Open: p.open, Record: numbered, Store: store, Batch: p.Batch, Linger: p.Linger, Exact: true, Logger: logger}
	for i := range p.Feeds {
		job.Feeds = append(job.Feeds, fmt.Sprint("feed.", i))
	}
	if p.Crew {
		kv, err := js.KeyValue(ctx, partBucket)
		if err != nil {
			return err
		}
		if job.Crew, err = NewCrew(ctx, kv, p.Name, logger); err != nil {
			return err
		}
	}
	return feed.Run(ctx, job)
}

// open is the Open of a job whose feeds count from 1 to a number.
func (p *part) open(_ context.Context, name string, last feed.Record) (stream.Source, error) {
	at := 0
	if last.Cursor != "" {
		at, _ = strconv.Atoi(last.Cursor)
	}
	ours, theirs := net.Pipe()
	c, err := stream.New(ours, stream.Client, nil)
	if err != nil {
		return nil, err
	}
	server, err := stream.New(theirs, stream.Server, nil)
	if err != nil {
		return nil, err
	}
	go p.count(server, name, at) // ends with the connection
	return c, nil
}

func (p *part) count(c *stream.Conn, name string, at int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { // reads the peer's Close; ends with the connection
		for range c.All(ctx) {
		}
		cancel()
	}()
	for n := at + 1; n <= p.Most; n++ {
		if c.SendText(ctx, fmt.Sprintf("%s %d", name, n)) != nil {
			return
		}
		if p.Pause > 0 {
			time.Sleep(p.Pause)
		}
	}
	c.Close(result.StatusNormalClosure, "")
	<-ctx.Done()
}

// numbered is the Record of such a job.
func numbered(m stream.Message) (feed.Record, bool) {
	var name string
	var n int
	if _, err := fmt.Sscan(m.String(), &name, &n); err != nil {
		panic(err)
	}
	return feed.Record{Data: m.Data, Cursor: strconv.Itoa(n)}, true
}
