package interop

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// A server is a peer that runs. It listens once for each of its settings.
type server struct {
	url     func(setting) string
	seen    *sightings
	tls     *tls.Config // for the client, where it speaks TLS
	version string
}

// A library makes a server of a setting.
type library func(s setting, seen *sightings) http.Handler

// socketKey is the context key of a request's TCP connection.
type socketKey struct{}

func socketOf(r *http.Request) net.Conn { return r.Context().Value(socketKey{}).(net.Conn) }

// startLibrary starts servers in this process, until the test ends.
func startLibrary(module string, make library) func(*testing.T, []setting) *server {
	return func(t *testing.T, all []setting) *server {
		seen, urls := newSightings(), map[setting]string{}
		for _, s := range all {
			listening := httptest.NewUnstartedServer(make(s, seen))
			listening.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
				return context.WithValue(ctx, socketKey{}, c)
			}
			listening.Start()
			t.Cleanup(listening.Close)
			urls[s] = "ws" + strings.TrimPrefix(listening.URL, "http")
		}
		return &server{url: urlOf(urls), seen: seen, version: moduleVersion(t, module)}
	}
}

func urlOf(urls map[setting]string) func(setting) string {
	return func(s setting) string { return urls[s] }
}

// moduleVersion returns the version that this test was built with.
func moduleVersion(t *testing.T, path string) string {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), path+" v")
	version, _, _ := strings.Cut(rest, "\n")
	return version
}
