package dial

import (
	"errors"
	"net/http"
	"net/url"
)

var (
	errRedirects = errors.New("more than 10 redirects")
	errDowngrade = errors.New("a redirect from TLS to none")
	errScheme    = errors.New("a redirect to a URL that is neither ws, wss, http nor https")
	errLocation  = errors.New("a redirect to a URL that does not parse")
)

// client returns the caller's client as the handshake uses it.
func (d *dialer) client() *http.Client {
	c := *d.httpClient()
	callers := c.CheckRedirect
	c.Timeout = 0 // it counts in the context
	c.Transport = &d.handshake
	c.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		err := d.checkRedirect(req, via)
		if err == nil && callers != nil {
			err = callers(req, via)
		}
		if err == nil || err == http.ErrUseLastResponse {
			return err
		}
		return newHandshakeError(req.Response, nil, err)
	}
	return &c
}

// checkRedirect is called from one of the library's, which maps ws to http and
// wss to https, and does away with net/http's limit.
func (d *dialer) checkRedirect(req *http.Request, via []*http.Request) error {
	switch from, to := via[len(via)-1].URL.Scheme, req.URL.Scheme; {
	case len(via) > maxRedirects:
		return errRedirects
	case to != "http" && to != "https":
		return errScheme
	case from == "https" && to == "http":
		return errDowngrade
	}
	if d.opts.Header.Get("Referer") == "" {
		req.Header.Del("Referer") // net/http's, which holds the last URL's query
	}
	return nil
}

func (d *dialer) httpClient() *http.Client {
	if d.opts.HTTPClient != nil {
		return d.opts.HTTPClient
	}
	return http.DefaultClient
}

// checkLocation refuses a redirect to what does not parse: net/http's own error
// would quote it.
func checkLocation(resp *http.Response) error {
	location := resp.Header.Get("Location")
	if location == "" || resp.StatusCode < 300 || resp.StatusCode > 399 {
		return nil
	}
	if _, err := url.Parse(location); err != nil {
		return newHandshakeError(resp, nil, errLocation)
	}
	return nil
}
