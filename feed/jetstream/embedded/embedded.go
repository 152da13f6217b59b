// Package embedded runs a NATS server with JetStream inside the program, for jobs
// that need no cluster. What it has acknowledged is on the disk.
//
// It is a package of its own because it links the server: a program that only talks
// to servers elsewhere is 10 MB smaller.
package embedded

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/wsflow/wsflow/result"
)

const (
	maxPayload = 8 << 20 // bytes in a message
	maxBatch   = 10_000  // records in an Append
	startTime  = 30 * time.Second
)

// Options say where the server stores, and how much. They are not modified.
type Options struct {
	// Dir is the folder for the streams. It is made if it is not there; no other
	// server may use it at the same time. It must not be empty.
	Dir string
	// MaxStore is how many bytes all streams may have on the disk. Zero means 10 GiB.
	// It must not be negative.
	MaxStore int64
	// MaxMemory is how many bytes streams may have that are set to be in memory. Zero
	// means 64 MiB. It must not be negative.
	MaxMemory int64
	// Listen is an address of this machine, such as "127.0.0.1:4222", at which
	// other programs, such as the tool nats, reach the server. Anyone who reaches it
	// may read and write. Port 0 means any that is free. The empty string means that
	// only this program reaches it, with Connect.
	Listen string
	// Logger gets what the server logs. nil means none.
	Logger *zap.Logger
}

// A Server is a NATS server in this program. All methods may be called from many
// goroutines.
type Server struct {
	s    *server.Server
	once sync.Once
}

// Start starts a server, which runs until Close. It syncs each write to the disk
// before it acknowledges it, and takes messages up to 8 MiB and batches up to
// 10,000 records.
func Start(o *Options) (*Server, error) {
	all, err := settings(o)
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(all)
	if err != nil {
		return nil, fmt.Errorf("feed/jetstream/embedded: %w", err)
	}
	log := &logger{zap.NewNop(), make(chan string, 1)}
	if o.Logger != nil {
		log.to = o.Logger
	}
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	if len(log.fatal) > 0 || !s.ReadyForConnections(startTime) || !s.JetStreamEnabled() {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("feed/jetstream/embedded: the server does not start: %w", log.cause())
	}
	return &Server{s: s}, nil
}

func settings(o *Options) (*server.Options, error) {
	if o == nil {
		o = &Options{}
	}
	bad := func(field string, value any, allowed string) (*server.Options, error) {
		return nil, &result.ArgumentError{Name: "embedded.Options." + field, Value: value, Allowed: allowed}
	}
	all := &server.Options{
		ServerName: "wsflow", JetStream: true, StoreDir: o.Dir, SyncAlways: true, MaxPayload: maxPayload,
		JetStreamMaxStore: o.MaxStore, JetStreamMaxMemory: o.MaxMemory,
		JetStreamLimits: server.JSLimitOpts{MaxBatchSize: maxBatch},
		DontListen:      o.Listen == "", NoSigs: true,
	}
	switch {
	case o.Dir == "":
		return bad("Dir", o.Dir, "a folder")
	case o.MaxStore < 0:
		return bad("MaxStore", o.MaxStore, "a number of bytes, or 0 for 10 GiB")
	case o.MaxMemory < 0:
		return bad("MaxMemory", o.MaxMemory, "a number of bytes, or 0 for 64 MiB")
	}
	if o.MaxStore == 0 {
		all.JetStreamMaxStore = 10 << 30
	}
	if o.MaxMemory == 0 {
		all.JetStreamMaxMemory = 64 << 20
	}
	if o.Listen != "" {
		host, text, err := net.SplitHostPort(o.Listen)
		port, bad2 := strconv.ParseUint(text, 10, 16)
		if err != nil || bad2 != nil {
			return bad("Listen", o.Listen, `an address such as "127.0.0.1:4222"`)
		}
		all.Host, all.Port = host, int(port)
		if port == 0 {
			all.Port = server.RANDOM_PORT
		}
	}
	return all, nil
}

// InProcessConn makes a Server an option of nats.Connect, nats.InProcessServer.
func (s *Server) InProcessConn() (net.Conn, error) { return s.s.InProcessConn() }

// Connect returns a connection inside the process. The caller closes it.
func (s *Server) Connect(options ...nats.Option) (*nats.Conn, error) {
	return nats.Connect("", append([]nats.Option{nats.InProcessServer(s.s)}, options...)...)
}

// URL returns where other programs reach the server, "" where they do not.
func (s *Server) URL() string {
	if s.s.Addr() == nil {
		return ""
	}
	return s.s.ClientURL()
}

// Close stops the server and waits until all is on the disk and no goroutine of it
// is left.
func (s *Server) Close() {
	s.once.Do(func() {
		s.s.Shutdown()
		s.s.WaitForShutdown()
	})
}

// A logger hands on what the server logs. Its first fatal error is kept: the server
// does not end the program.
type logger struct {
	to    *zap.Logger
	fatal chan string
}

func (l *logger) Noticef(format string, v ...any) { l.to.Info(fmt.Sprintf(format, v...)) }
func (l *logger) Warnf(format string, v ...any)   { l.to.Warn(fmt.Sprintf(format, v...)) }
func (l *logger) Errorf(format string, v ...any)  { l.to.Error(fmt.Sprintf(format, v...)) }
func (l *logger) Debugf(format string, v ...any)  { l.to.Debug(fmt.Sprintf(format, v...)) }
func (l *logger) Tracef(format string, v ...any)  { l.to.Debug(fmt.Sprintf(format, v...)) }

func (l *logger) Fatalf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.to.Error(text)
	select {
	case l.fatal <- text:
	default:
	}
}

func (l *logger) cause() error {
	select {
	case text := <-l.fatal:
		return errors.New(text)
	default:
		return fmt.Errorf("it was not ready within %v", startTime)
	}
}
