package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/wsflow/wsflow/dial"
)

// options are what the command line says.
type options struct {
	url  string
	raw  bool
	dial dial.Options
}

// parse reads the command line. Its errors have been printed, with the usage.
func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{dial: dial.Options{Header: http.Header{}}}
	flags := flag.NewFlagSet("wscat", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: wscat [flags] URL")
		flags.PrintDefaults()
	}
	flags.Func("H", "send `'Key: value'` with the opening handshake (may be repeated)", o.header)
	flags.Func("s", "offer the subprotocol `NAME` (may be repeated, the best first)", o.subprotocol)
	flags.BoolFunc("k", "forgive whatever is wrong with the server's certificate", o.forgive)
	flags.BoolVar(&o.raw, "raw", false, "write binary messages as they are")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() != 1 {
		err := fmt.Errorf("there are %d arguments after the flags: allowed is one, the URL", flags.NArg())
		fmt.Fprintln(stderr, "wscat:", err)
		flags.Usage()
		return nil, err
	}
	o.url = flags.Arg(0)
	return o, nil
}

// header adds to the handshake's header. The host has an option of its own.
func (o *options) header(arg string) error {
	key, value, ok := strings.Cut(arg, ":")
	if !ok {
		return errors.New("there is no colon in it: allowed is 'Key: value'")
	}
	value = strings.TrimSpace(value)
	if strings.EqualFold(key, "Host") {
		o.dial.Host = value
	} else {
		o.dial.Header.Add(key, value)
	}
	return nil
}

func (o *options) subprotocol(name string) error {
	o.dial.Subprotocols = append(o.dial.Subprotocols, name)
	return nil
}

func (o *options) forgive(string) error {
	o.dial.TLS = dial.AllowSelfSigned | dial.AllowUnknownAuthority | dial.AllowExpired | dial.SkipHostnameCheck
	return nil
}

// flagNames turns what dial says of its options into what the command line
// calls them.
var flagNames = strings.NewReplacer(
	"dial.Options.Header", "-H", "dial.Options.Host", "-H Host", "dial.Options.Subprotocols", "-s", "dial.Options.TLS", "-k",
	"dial.AllowSelfSigned would", "-k would", "dial.AllowUnknownAuthority would", "-k would",
	"dial.AllowExpired would", "-k would", "dial.SkipHostnameCheck would", "-k would",
)
