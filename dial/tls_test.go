package dial

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A specimen is a server's certificate with defects that the flags forgive.
type specimen struct {
	name  string
	cert  tls.Certificate
	roots *x509.CertPool
	host  string
	needs TLSFlags
}

// specimens are all combinations of an issuer, dates and a name.
func specimens(t *testing.T) (list []specimen) {
	root := issue(t, "root", nil, isCA)
	oldRoot := issue(t, "old root", nil, also(isCA, expired))
	stranger := issue(t, "stranger", nil, isCA)
	roots := x509.NewCertPool()
	roots.AddCert(root.cert)
	roots.AddCert(oldRoot.cert)

	names := map[string]struct {
		change func(*x509.Certificate)
		host   string
		needs  TLSFlags
	}{
		"name":               {forServer, "example.com", 0},
		"wrong name":         {forOther, "example.com", SkipHostnameCheck},
		"address":            {forServer, "127.0.0.1", 0},
		"address not in SAN": {forOther, "127.0.0.1", SkipHostnameCheck},
	}
	dates := map[string]struct {
		leaf, above func(*x509.Certificate)
		needs       TLSFlags
	}{
		"valid":                {nil, nil, 0},
		"expired":              {expired, nil, AllowExpired},
		"not yet valid":        {notYet, nil, AllowExpired},
		"expired intermediate": {nil, expired, AllowExpired},
		"no common time":       {notYet, expired, AllowExpired},
	}
	for name, n := range names {
		for date, d := range dates {
			if n.host == "127.0.0.1" && date != "valid" {
				continue // names and addresses differ in nothing else
			}
			leaf := also(n.change, d.leaf)
			add := func(issuer string, cert tls.Certificate, needs TLSFlags) {
				list = append(list, specimen{issuer + ", " + date + ", " + name, cert, roots, n.host, needs | n.needs})
			}
			chain := func(root *party) (*party, *party) {
				above := issue(t, "intermediate", root, also(isCA, d.above))
				return issue(t, "leaf", above, leaf), above
			}
			l, above := chain(root)
			add("good chain", served(l, above), d.needs)
			l, above = chain(oldRoot)
			add("expired root", served(l, above, oldRoot), AllowExpired)
			l, above = chain(stranger)
			add("unknown CA", served(l, above, stranger), d.needs|AllowUnknownAuthority)
			if d.above == nil {
				l, _ = chain(root)
				add("missing intermediate", served(l), d.needs|AllowUnknownAuthority)
				add("self-signed", served(issue(t, "self", nil, leaf)), d.needs|AllowSelfSigned)
			}
		}
	}
	return list
}

func TestTLSFlags(t *testing.T) {
	for _, s := range specimens(t) {
		t.Run(s.name, func(t *testing.T) {
			addr := serveTLS(t, s.cert)
			for flags := range allTLSFlags + 1 {
				err := withHint(handshakeTLS(t, addr, flags.relax(&tls.Config{RootCAs: s.roots}, s.host), s.host))
				if missing := s.needs &^ flags; missing == 0 {
					if err != nil {
						t.Errorf("flags %v: %v", flags, err)
					}
				} else {
					wantDefects(t, flags, missing, err)
				}
			}
		})
	}
}

// wantDefects wants an error that names the flags that are missing, and no
// other: without any flag crypto/tls names the first defect alone.
func wantDefects(t *testing.T, flags, missing TLSFlags, err error) {
	t.Helper()
	if !errors.As(err, new(*tls.CertificateVerificationError)) {
		t.Errorf("flags %v: ended with %v, want a *tls.CertificateVerificationError", flags, err)
		return
	}
	named := TLSFlags(0)
	for i, name := range tlsFlagNames {
		switch n := strings.Count(err.Error(), "dial."+name+" would forgive this"); {
		case n > 1:
			t.Errorf("flags %v: the error names %s %d times: %v", flags, name, n, err)
		case n == 1:
			named |= 1 << i
		}
	}
	if named == missing || flags == 0 && named != 0 && named&^missing == 0 {
		return
	}
	t.Errorf("flags %v: the error names %v, want %v: %v", flags, named, missing, err)
}

// serveTLS is a TLS server that only performs handshakes.
func serveTLS(t *testing.T, cert tls.Certificate) (addr string) {
	t.Helper()
	return listen(t, func(c net.Conn, _ *bufio.Reader) {
		server := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
		server.Handshake()
		server.Read(make([]byte, 1))
	})
}

// handshakeTLS performs a TLS handshake the way net/http does.
func handshakeTLS(t *testing.T, addr string, config *tls.Config, host string) error {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	config = config.Clone()
	if config.ServerName == "" {
		config.ServerName = host
	}
	return tls.Client(conn, config).Handshake()
}

func TestKeyUsageIsNeverForgiven(t *testing.T) {
	forClient := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }
	forAny := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }
	forNothingSaid := func(c *x509.Certificate) { c.ExtKeyUsage = nil }
	root := issue(t, "root", nil, isCA)
	roots := x509.NewCertPool()
	roots.AddCert(root.cert)
	for name, tt := range map[string]struct {
		leaf *party
		ok   bool
	}{
		"trusted, for clients":     {issue(t, "leaf", root, also(forServer, forClient)), false},
		"self-signed, for clients": {issue(t, "leaf", nil, also(forServer, forClient)), false},
		"self-signed, for any":     {issue(t, "leaf", nil, also(forServer, forAny)), true},
		"self-signed, unsaid":      {issue(t, "leaf", nil, also(forServer, forNothingSaid)), true},
	} {
		config := allTLSFlags.relax(&tls.Config{RootCAs: roots}, "example.com")
		err := handshakeTLS(t, serveTLS(t, served(tt.leaf)), config, "example.com")
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			wantContains(t, name, err, "incompatible key usage")
		}
	}
}

// A certificate with the issuer's name that the issuer did not sign is not its
// own issuer.
func TestSelfSignedMeansTheSignature(t *testing.T) {
	impostor := issue(t, "self", nil, isCA)
	leaf := issue(t, "self", impostor, forServer)
	config := AllowSelfSigned.relax(nil, "example.com")
	wantContains(t, "the handshake", handshakeTLS(t, serveTLS(t, served(leaf)), config, "example.com"), "dial.AllowUnknownAuthority")
}

func TestCallersCallbacksSeeChains(t *testing.T) {
	root := issue(t, "root", nil, isCA)
	roots := x509.NewCertPool()
	roots.AddCert(root.cert)
	middle := issue(t, "intermediate", root, isCA)
	good := served(issue(t, "leaf", middle, also(forServer, expired)), middle)
	self := served(issue(t, "self", nil, forServer))
	for name, tt := range map[string]struct {
		cert tls.Certificate
		want string
	}{
		"trusted":     {good, "leaf intermediate root "},
		"self-signed": {self, "self "},
	} {
		var peer, connection string
		config := &tls.Config{
			RootCAs: roots,
			VerifyPeerCertificate: func(raw [][]byte, chains [][]*x509.Certificate) error {
				if len(raw) != len(tt.cert.Certificate) {
					t.Errorf("%s: the callback got %d certificates", name, len(raw))
				}
				peer = subjects(chains)
				return nil
			},
			VerifyConnection: func(s tls.ConnectionState) error {
				connection = subjects(s.VerifiedChains)
				return nil
			},
		}
		if err := handshakeTLS(t, serveTLS(t, tt.cert), allTLSFlags.relax(config, "example.com"), "example.com"); err != nil {
			t.Error(err)
		}
		want(t, name+": the chain of VerifyPeerCertificate", peer, tt.want)
		want(t, name+": the chain of VerifyConnection", connection, tt.want)
	}
}

func subjects(chains [][]*x509.Certificate) (s string) {
	for _, chain := range chains {
		for _, c := range chain {
			s += c.Subject.CommonName + " "
		}
	}
	return s
}

func TestCallersCallbacksRefuse(t *testing.T) {
	self := served(issue(t, "self", nil, forServer))
	refuse := errors.New("pinned")
	for _, config := range []*tls.Config{
		{VerifyPeerCertificate: func([][]byte, [][]*x509.Certificate) error { return refuse }},
		{VerifyConnection: func(tls.ConnectionState) error { return refuse }},
	} {
		if err := handshakeTLS(t, serveTLS(t, self), allTLSFlags.relax(config, "example.com"), "example.com"); !errors.Is(err, refuse) {
			t.Errorf("the handshake ended with %v, want %v", err, refuse)
		}
	}
}

// A caller's callback may make an error of crypto/tls' type itself.
func TestCallersCertificateError(t *testing.T) {
	addr := secureListen(t, served(issue(t, "self", nil, forServer)), answers(agree))
	pinned := errors.New("pinned")
	for _, failed := range []*tls.CertificateVerificationError{
		{Err: pinned},
		{Err: pinned, UnverifiedCertificates: []*x509.Certificate{}},
	} {
		_, err := connect(t, "wss://"+addr, &Options{TLSConfig: &tls.Config{
			InsecureSkipVerify: true,
			VerifyConnection:   func(tls.ConnectionState) error { return failed },
		}})
		if !errors.Is(err, pinned) {
			t.Errorf("the dial ended with %v, want %v", err, pinned)
		}
	}
}

// The race detector watches: net/http completes a transport when it is first
// used, here by a request beside the dials.
func TestFreshTransportIsShared(t *testing.T) {
	addr := secureListen(t, served(issue(t, "self", nil, forServer)), answers(agree))
	for range 10 {
		client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true}}
		var dials sync.WaitGroup
		dials.Go(func() {
			if resp, err := client.Get("https://" + addr); err == nil {
				resp.Body.Close()
				t.Error("net/http took a certificate that is self-signed")
			}
		})
		for range 8 {
			dials.Go(func() {
				conn, err := Dial(t.Context(), "wss://"+addr, &Options{HTTPClient: client, TLS: AllowSelfSigned})
				if err != nil {
					t.Error(err)
					return
				}
				conn.CloseNow(nil)
			})
		}
		dials.Wait()
	}
}

func TestSecureDial(t *testing.T) {
	self := served(issue(t, "self", nil, forServer))
	addr := secureListen(t, self, answers(agree))
	_, err := connect(t, "wss://"+addr, nil)
	wantContains(t, "a strict dial", err, "making the TLS connection", "dial.AllowSelfSigned would forgive this")
	if !errors.As(err, new(x509.UnknownAuthorityError)) {
		t.Errorf("a strict dial ended with %v, want an x509.UnknownAuthorityError in it", err)
	}
	e := mustConnect(t, "wss://"+addr, &Options{TLS: AllowSelfSigned})
	if _, ok := e.rwc.(*tls.Conn); !ok {
		t.Errorf("the connection is a %T", e.rwc)
	}

	roots := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(self.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(leaf)
	config := &tls.Config{RootCAs: roots}
	mustConnect(t, "wss://"+addr, &Options{TLSConfig: config})
	want(t, "the caller's NextProtos", config.NextProtos, []string{})

	other := served(issue(t, "self", nil, forOther))
	addr = secureListen(t, other, answers(agree))
	_, err = connect(t, "wss://"+addr, &Options{TLS: AllowSelfSigned})
	wantContains(t, "a dial of an address that the certificate lacks", err, "127.0.0.1", "dial.SkipHostnameCheck would")
	mustConnect(t, "wss://"+addr, &Options{TLS: AllowSelfSigned, TLSConfig: &tls.Config{ServerName: "other.example"}})
}

// Where a flag would be refused, no error recommends one.
func TestNoHintWithoutAFlag(t *testing.T) {
	addr := secureListen(t, served(issue(t, "self", nil, forServer)), answers(agree))
	plain := listen(t, answers(func(*http.Request) string { return redirect("wss://" + addr) }))
	dialTLS := &http.Transport{DialTLSContext: new(tls.Dialer).DialContext}
	for url, client := range map[string]*http.Client{
		"wss://" + addr:       {Transport: wrapping{}},
		"wss://" + addr + "/": {Transport: dialTLS},
		"ws://" + plain:       nil,
	} {
		_, err := connect(t, url, &Options{HTTPClient: client})
		if !errors.As(err, new(*tls.CertificateVerificationError)) || strings.Contains(err.Error(), "would forgive") {
			t.Errorf("%s: the dial ended with %v, want a *tls.CertificateVerificationError without a hint", url, err)
		}
	}
}

func TestTLSConfigIsKept(t *testing.T) {
	client := issue(t, "client", nil, nil)
	self := served(issue(t, "self", nil, forServer))
	addr := listenOver(t, &tls.Config{
		Certificates: []tls.Certificate{self}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12,
	}, answers(agree))
	var log keyLog
	config := &tls.Config{Certificates: []tls.Certificate{served(client)}, KeyLogWriter: &log}
	mustConnect(t, "wss://"+addr, &Options{TLS: AllowSelfSigned, TLSConfig: config})
	if log.Load() == 0 {
		t.Error("no key was logged")
	}
	config.MinVersion = tls.VersionTLS13
	_, err := connect(t, "wss://"+addr, &Options{TLS: AllowSelfSigned, TLSConfig: config})
	wantContains(t, "a dial that wants TLS 1.3", err, "protocol version")
	want(t, "the caller's InsecureSkipVerify", config.InsecureSkipVerify, false)
}

type keyLog struct{ atomic.Int64 }

func (l *keyLog) Write(p []byte) (int, error) {
	l.Add(int64(len(p)))
	return len(p), nil
}

// A session that was made while more was forgiven is not a way around the
// check.
func TestResumedSessionIsVerified(t *testing.T) {
	self := served(issue(t, "self", nil, forServer))
	hello := answers(func(r *http.Request) string { return agree(r) + "hello" })
	url := "wss://" + secureListen(t, self, hello)
	resumed := false
	ours := &tls.Config{
		ClientSessionCache: tls.NewLRUClientSessionCache(8),
		VerifyConnection: func(s tls.ConnectionState) error {
			resumed = s.DidResume
			return nil
		},
	}
	for range 2 {
		e := mustConnect(t, url, &Options{TLS: AllowSelfSigned, TLSConfig: ours})
		// The session's ticket comes before the first byte.
		if len(e.buffered) == 0 {
			e.rwc.Read(make([]byte, 5))
		}
	}
	if !resumed {
		t.Fatal("no session was resumed")
	}
	for _, flags := range []TLSFlags{0, AllowUnknownAuthority} {
		_, err := connect(t, url, &Options{TLS: flags, TLSConfig: ours})
		wantContains(t, fmt.Sprintf("a dial with %v and an old session", flags), err, "dial.AllowSelfSigned would")
	}
}

func TestTLSFlagsText(t *testing.T) {
	want(t, "no flag", TLSFlags(0), "0x0")
	want(t, "two flags", AllowExpired|AllowSelfSigned, "AllowSelfSigned|AllowExpired")
	want(t, "an unknown flag", SkipHostnameCheck|32, "SkipHostnameCheck|0x20")
}
