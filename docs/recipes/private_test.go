package recipes_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/stream"
)

// inside connects to a server inside a company: through its proxy, and with
// certificates of its own authority, as PEM.
func inside(ctx context.Context, target string, proxy *url.URL, authority []byte) (*stream.Conn, error) {
	roots := x509.NewCertPool() // x509.SystemCertPool keeps the public ones too
	if !roots.AppendCertsFromPEM(authority) {
		return nil, errors.New("there is no certificate in the authority's PEM")
	}
	return dial.Dial(ctx, target, &dial.Options{
		Proxy:     http.ProxyURL(proxy), // nil asks HTTPS_PROXY and NO_PROXY
		TLSConfig: &tls.Config{RootCAs: roots},
	})
}

// tunnel is a proxy for CONNECT.
func tunnel(w http.ResponseWriter, r *http.Request) {
	up, err := net.Dial("tcp", r.Host)
	if err != nil {
		http.Error(w, "the server cannot be reached", http.StatusBadGateway)
		return
	}
	defer up.Close()
	w.WriteHeader(http.StatusOK)
	fmt.Println(r.Method, "through the proxy")
	down, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer down.Close()
	go func() { // ends with up
		io.Copy(down, up)
		down.Close()
	}()
	io.Copy(up, buffered)
}

func Example_proxyAndPrivateCA() {
	server := httptest.NewTLSServer(handler(say("hello")))
	defer server.Close()
	proxy := httptest.NewServer(http.HandlerFunc(tunnel))
	defer proxy.Close()
	through, err := url.Parse(proxy.URL)
	if err != nil {
		log.Fatal(err)
	}
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	ctx := context.Background()

	conn, err := inside(ctx, server.URL, through, authority)
	if err != nil {
		log.Fatal(err)
	}
	for message, err := range conn.All(ctx) {
		fmt.Println(message, err)
	}
	// Output:
	// CONNECT through the proxy
	// hello <nil>
}
