package recipes_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/wsflow/wsflow/dial"
)

// toSlog returns a logger for Options.Logger that hands everything to slog.
func toSlog(h slog.Handler) *zap.Logger { return zap.New(slogCore{h}) }

type slogCore struct{ slog.Handler }

// A level of slog is four times that of zap.
func (c slogCore) Enabled(l zapcore.Level) bool {
	return c.Handler.Enabled(context.Background(), 4*slog.Level(l))
}

func (c slogCore) With(fields []zapcore.Field) zapcore.Core {
	return slogCore{c.WithAttrs(attrs(fields))}
}

func (c slogCore) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return checked.AddCore(e, c)
	}
	return checked
}

func (c slogCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	r := slog.NewRecord(e.Time, 4*slog.Level(e.Level), e.Message, 0)
	r.AddAttrs(attrs(fields)...)
	return c.Handle(context.Background(), r)
}

func (slogCore) Sync() error { return nil }

func attrs(fields []zapcore.Field) []slog.Attr {
	var all []slog.Attr
	for _, f := range fields {
		m := zapcore.NewMapObjectEncoder()
		f.AddTo(m)
		for key, value := range m.Fields {
			all = append(all, slog.Any(key, value))
		}
	}
	return all
}

func Example_slog() {
	server := talk(say("nobody listens to text"))
	defer server.Close()
	ctx := context.Background()

	handler := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Key { // they differ from run to run
		case slog.TimeKey, "host", "local", "remote":
			return slog.Attr{}
		}
		return a
	}})
	conn, err := dial.Dial(ctx, server.URL, &dial.Options{Logger: toSlog(handler)})
	if err != nil {
		log.Fatal(err)
	}
	conn.OnBinary(func([]byte) {})
	fmt.Println(conn.Result().Wait(ctx))
	// Output:
	// level=WARN msg="a message has no listener" subprotocol="" type=text bytes=22 messages=1
	// 1000 "" <nil>
}
