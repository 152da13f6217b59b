package interop

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"text/template"
)

// A proxy is a reverse proxy before another server. Its command is run in a
// folder with its configuration and its certificate.
type proxy struct {
	command []string
	env     []string
	config  string
	version []string // a command that prints it
	before  func(*testing.T, []setting) *server
	tls     bool
}

// start starts the server, and a proxy before each of its ports.
func (p proxy) start(t *testing.T, all []setting) *server {
	t.Helper()
	if _, err := exec.LookPath(p.command[0]); err != nil {
		missing(t, err.Error())
	}
	s := p.before(t, all)
	secret := newCertificate(t)
	urls := map[setting]string{}
	for _, each := range all {
		upstream, err := url.Parse(s.url(each))
		if err != nil {
			t.Fatal(err)
		}
		urls[each] = p.scheme() + p.run(t, upstream.Host, secret)
	}
	s.url = urlOf(urls)
	s.version = p.versionOf(t)
	if p.tls {
		s.tls = &tls.Config{RootCAs: secret.roots}
	}
	return s
}

func (p proxy) scheme() string {
	if p.tls {
		return "wss://"
	}
	return "ws://"
}

// run starts the proxy and returns its address. The proxy inherits a socket
// that listens already, so that nobody has to wait for it, nor to find a port
// that is free.
func (p proxy) run(t *testing.T, upstream string, secret certificate) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	address = listener.Addr().String()
	folder := t.TempDir()
	secret.write(t, folder)
	p.configure(t, folder, address, upstream)
	run(t, func(cmd *exec.Cmd) {
		cmd.Dir, cmd.ExtraFiles = folder, []*os.File{socket}
		cmd.Env = append(os.Environ(), p.env...)
	}, p.command...)
	return address
}

func (p proxy) configure(t *testing.T, folder, address, upstream string) {
	t.Helper()
	form, err := template.ParseFiles(filepath.Join("proxy", p.config))
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	err = form.Execute(&text, struct {
		Listen, Upstream string
		TLS              bool
	}{address, upstream, p.tls})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, p.config), text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

var versionNumber = regexp.MustCompile(`\d+\.[\d.]+`)

func (p proxy) versionOf(t *testing.T) string {
	out, err := exec.Command(p.version[0], p.version[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v", p.version, err)
	}
	return versionNumber.FindString(string(out))
}
