package interop

// nginx takes the socket that NGINX names to be its own, as after an upgrade
// of its program.
var nginx = proxy{
	command: []string{"/usr/sbin/nginx", "-p", ".", "-c", "nginx.conf"},
	env:     []string{"NGINX=3;"},
	config:  "nginx.conf",
	version: []string{"/usr/sbin/nginx", "-v"},
}

var haproxy = proxy{
	command: []string{"/usr/sbin/haproxy", "-db", "-q", "-f", "haproxy.cfg"},
	config:  "haproxy.cfg",
	version: []string{"/usr/sbin/haproxy", "-v"},
}

// behind puts a peer behind a proxy.
func behind(name string, p proxy, tls bool, server peer) peer {
	p.before, p.tls = server.start, tls
	server.name, server.start, server.proxied = name, p.start, true
	return server
}
