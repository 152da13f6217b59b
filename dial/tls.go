package dial

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
)

// TLSFlags is a set of defects of a server's certificate that are forgiven.
// Each flag forgives exactly one; they combine freely. They hold for every
// server that a redirect leads to, but never for a proxy.
//
// All four together accept any certificate that Go can parse and that is meant
// for servers: one whose key usage forbids that is always refused.
//
// With system roots on Windows and macOS, where the system verifies
// certificates, AllowExpired needs one point in time at which all certificates
// of the chain were valid.
type TLSFlags int

const (
	// AllowSelfSigned forgives a certificate that is its own issuer.
	AllowSelfSigned TLSFlags = 1 << iota
	// AllowUnknownAuthority forgives an issuer that is not known: a CA that is not
	// trusted, or an intermediate certificate that is missing.
	AllowUnknownAuthority
	// AllowExpired forgives the dates of every certificate in the chain: certificates
	// that have expired, and those that are not valid yet.
	AllowExpired
	// SkipHostnameCheck forgives a certificate for another name or address.
	SkipHostnameCheck

	allTLSFlags = AllowSelfSigned | AllowUnknownAuthority | AllowExpired | SkipHostnameCheck
)

var tlsFlagNames = [...]string{"AllowSelfSigned", "AllowUnknownAuthority", "AllowExpired", "SkipHostnameCheck"}

// String returns the names of the flags, such as "AllowExpired|SkipHostnameCheck".
func (f TLSFlags) String() string {
	var names []string
	for i, name := range tlsFlagNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	if rest := f &^ allTLSFlags; rest != 0 || f == 0 {
		names = append(names, fmt.Sprintf("%#x", int(rest)))
	}
	return strings.Join(names, "|")
}

// relax returns a config that forgives what the flags say, for a server with
// this name or address.
//
// crypto/tls cannot forgive one defect alone, so that its verification is
// turned off and stands in VerifyConnection, which also runs when a session is
// resumed. The caller's own callbacks are called from there, with the chains
// that were found; those that crypto/tls would hand them are empty.
func (f TLSFlags) relax(config *tls.Config, host string) *tls.Config {
	if f == 0 {
		return config
	}
	relaxed := &tls.Config{}
	if config != nil {
		relaxed = config.Clone()
	}
	v := &verifier{
		flags: f, host: host, config: relaxed.Clone(),
		peer: relaxed.VerifyPeerCertificate, connection: relaxed.VerifyConnection,
	}
	relaxed.InsecureSkipVerify = true
	relaxed.VerifyPeerCertificate = nil
	relaxed.VerifyConnection = v.verify
	return relaxed
}

// withHint adds to an error of crypto/tls' own verification which flag would
// forgive it. There is none for a proxy, and a defect says so itself.
func withHint(err error) error {
	var failed *tls.CertificateVerificationError
	var op *net.OpError
	if !errors.As(err, &failed) || errors.As(err, &op) && op.Op == "proxyconnect" || errors.As(err, new(defect)) ||
		len(failed.UnverifiedCertificates) == 0 { // a caller's own callback may leave them out
		return err
	}
	if flag := forgiving(failed.Err, failed.UnverifiedCertificates[0]); flag != 0 {
		return fmt.Errorf("%w (%s)", err, hint(flag))
	}
	return err
}

func hint(flag TLSFlags) string { return "dial." + flag.String() + " would forgive this" }
