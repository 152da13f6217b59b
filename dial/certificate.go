package dial

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A verifier verifies the certificate of one server, flags being forgiven.
type verifier struct {
	flags  TLSFlags
	host   string      // of the URL
	config *tls.Config // the caller's

	peer       func([][]byte, [][]*x509.Certificate) error // the caller's callbacks
	connection func(tls.ConnectionState) error
}

// A defect is what is wrong with a certificate, and the flag that forgives it:
// 0 if none does.
type defect struct {
	flag TLSFlags
	err  error
}

func (d defect) Error() string {
	if d.flag == 0 {
		return d.err.Error()
	}
	return fmt.Sprintf("%v (%s)", d.err, hint(d.flag))
}

func (d defect) Unwrap() error { return d.err }

// verify is the VerifyConnection of the relaxed config.
func (v *verifier) verify(state tls.ConnectionState) error {
	chains, defects := v.inspect(state.PeerCertificates, v.name(state))
	var errs []error
	for _, d := range defects {
		if d.flag&v.flags == 0 {
			errs = append(errs, d)
		}
	}
	if errs != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: errors.Join(errs...)}
	}
	return v.callbacks(state, chains)
}

// callbacks calls those of the caller as crypto/tls would: the one for the
// certificate not for a resumed session.
func (v *verifier) callbacks(state tls.ConnectionState, chains [][]*x509.Certificate) error {
	if v.peer != nil && !state.DidResume {
		raw := make([][]byte, len(state.PeerCertificates))
		for i, c := range state.PeerCertificates {
			raw[i] = c.Raw
		}
		if err := v.peer(raw, chains); err != nil {
			return err
		}
	}
	if v.connection == nil {
		return nil
	}
	state.VerifiedChains = chains
	return v.connection(state)
}

// name returns what the certificate must be for. The state has none for an
// address.
func (v *verifier) name(state tls.ConnectionState) string {
	switch {
	case state.ServerName != "":
		return state.ServerName
	case v.config.ServerName != "":
		return v.config.ServerName
	}
	return v.host
}

func (v *verifier) now() time.Time {
	if v.config.Time != nil {
		return v.config.Time()
	}
	return time.Now()
}

// inspect finds the chains of a certificate, the first of certs, and all that
// is wrong with it. There is always a chain: if none leads to a root, those
// that the certificates themselves make.
func (v *verifier) inspect(certs []*x509.Certificate, name string) (chains [][]*x509.Certificate, defects []defect) {
	leaf := certs[0]
	chains, err := v.trusted(certs)
	switch {
	case isUsage(err):
		defects = append(defects, defect{0, err})
	case err != nil:
		defects = append(defects, defect{issuerFlag(leaf), err})
		chains = untrusted(certs)
		if err := usage(leaf); err != nil {
			defects = append(defects, defect{0, err})
		}
	}
	if err := current(chains, v.now()); err != nil {
		defects = append(defects, defect{AllowExpired, err})
	}
	if err := leaf.VerifyHostname(name); err != nil {
		defects = append(defects, defect{SkipHostnameCheck, err})
	}
	return chains, defects
}

// issuerFlag returns the flag that forgives a leaf without a known issuer.
func issuerFlag(leaf *x509.Certificate) TLSFlags {
	if bytes.Equal(leaf.RawIssuer, leaf.RawSubject) &&
		leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) == nil {
		return AllowSelfSigned
	}
	return AllowUnknownAuthority
}

// forgiving returns the flag that forgives an error of crypto/x509, or 0.
func forgiving(err error, leaf *x509.Certificate) TLSFlags {
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &name):
		return SkipHostnameCheck
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return AllowExpired
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return issuerFlag(leaf)
	}
	return 0
}

func isUsage(err error) bool {
	var invalid x509.CertificateInvalidError
	return errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage
}

// usage returns an error if the leaf is not meant for servers.
func usage(leaf *x509.Certificate) error {
	allowed := leaf.ExtKeyUsage
	if len(allowed)+len(leaf.UnknownExtKeyUsage) == 0 ||
		slices.Contains(allowed, x509.ExtKeyUsageServerAuth) || slices.Contains(allowed, x509.ExtKeyUsageAny) {
		return nil
	}
	return x509.CertificateInvalidError{Cert: leaf, Reason: x509.IncompatibleUsage}
}

// trusted returns the chains from the leaf to roots, whatever their dates, or
// why there are none.
//
// The dates of what the server sent are widened in copies, as no one point in
// time need lie in all of them. Those of the roots cannot be, so that points in
// time are tried at which roots are likely to have been valid.
func (v *verifier) trusted(certs []*x509.Certificate) ([][]*x509.Certificate, error) {
	timeless := widen(certs)
	var first error
	for _, at := range moments(v.now(), certs) {
		chains, err := timeless[0].Verify(x509.VerifyOptions{
			Roots:         v.config.RootCAs,
			Intermediates: pool(timeless[1:]),
			CurrentTime:   at,
		})
		if err == nil {
			return restore(chains, certs), nil
		}
		if first == nil || isUsage(err) {
			first = err
		}
	}
	return nil, first
}

// moments returns now, and when the first few certificates began and ended.
func moments(now time.Time, certs []*x509.Certificate) []time.Time {
	const few = 8
	list := []time.Time{now}
	for _, c := range certs[:min(few, len(certs))] {
		list = append(list, c.NotBefore, c.NotAfter)
	}
	return list
}

// untrusted returns the chains that the certificates make among themselves,
// each as long as it gets.
func untrusted(certs []*x509.Certificate) [][]*x509.Certificate {
	timeless := widen(certs)
	others := pool(timeless[1:])
	all, err := timeless[0].Verify(x509.VerifyOptions{
		Roots:         others,
		Intermediates: others,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return [][]*x509.Certificate{certs[:1]}
	}
	longest := slices.DeleteFunc(slices.Clone(all), func(short []*x509.Certificate) bool {
		return slices.ContainsFunc(all, func(long []*x509.Certificate) bool {
			return len(long) > len(short) && slices.Equal(long[:len(short)], short)
		})
	})
	return restore(longest, certs)
}

// current returns nil if all certificates of one chain are valid now.
func current(chains [][]*x509.Certificate, now time.Time) (err error) {
	for _, chain := range chains {
		i := slices.IndexFunc(chain, func(c *x509.Certificate) bool {
			return now.Before(c.NotBefore) || now.After(c.NotAfter)
		})
		if i < 0 {
			return nil
		}
		c := chain[i]
		err = x509.CertificateInvalidError{Cert: c, Reason: x509.Expired, Detail: fmt.Sprintf(
			"%s: it is %s, and the certificate is for %s to %s", c.Subject,
			now.UTC().Format(time.RFC3339), c.NotBefore.UTC().Format(time.RFC3339), c.NotAfter.UTC().Format(time.RFC3339))}
	}
	return err
}

// widen returns copies that are valid at any time.
func widen(certs []*x509.Certificate) []*x509.Certificate {
	list := make([]*x509.Certificate, len(certs))
	for i, c := range certs {
		timeless := *c
		timeless.NotBefore, timeless.NotAfter = time.Time{}, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
		list[i] = &timeless
	}
	return list
}

// restore puts the certificates in the place of their copies.
func restore(chains [][]*x509.Certificate, certs []*x509.Certificate) [][]*x509.Certificate {
	for _, chain := range chains {
		for i, c := range chain {
			if j := slices.IndexFunc(certs, c.Equal); j >= 0 {
				chain[i] = certs[j]
			}
		}
	}
	return chains
}

func pool(certs []*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range certs {
		p.AddCert(c)
	}
	return p
}
