//go:build linux

package main

import (
	"os"
	"strings"
	"text/template"
)

// maker says how a peer is started. In commands DIR is its own directory, SITE everybody's, FREE
// an address that nobody has; the last of them carries.
type maker struct {
	name     string
	kinds    []string // of traffic that it can carry
	conf     string   // a template of DIR/conf
	pool     string   // of a Fairlead: what its pools have
	nginx    bool     // the process that carries is a child
	commands []command
}

type command struct{ core, args string }

// inputs are what templates see.
type inputs struct {
	Dir, Site, Pool, Small, Stream string
	At, To                         map[string]string // addresses by kind, its own and the backends'
	Free                           []string
}

var (
	http2Up    = []string{"plain", "safe", "grpc", "ws"}
	everything = append(http2Up, "tcp", "bulk")
	fairlead   = []command{
		{controlCore, "SITE/fairlead controller -c DIR/conf --log-level error"},
		{proxyCore, "SITE/fairlead proxy --controller FREE --log-level error"},
	}
)

var makes = []maker{
	{name: "Fairlead, an ask each", kinds: everything, conf: fairleadConf, pool: "slots: 512, permits: false", commands: fairlead},
	{name: "Fairlead, decide: proxy", kinds: everything, conf: fairleadConf, pool: "workers: 512, decide: proxy", commands: fairlead},
	{name: "HAProxy", kinds: everything, conf: haproxyConf, commands: []command{{proxyCore, "haproxy -f DIR/conf"}}},
	{name: "nginx", kinds: everything, conf: nginxConf, nginx: true, commands: []command{{proxyCore, "nginx -c DIR/conf"}}},
	{name: "Caddy", kinds: http2Up, conf: caddyConf, commands: []command{{proxyCore, "SITE/caddy run --adapter caddyfile --config DIR/conf"}}},
}

var backendMake = maker{name: "no proxy", kinds: []string{"plain", "safe"}, conf: backendConf, nginx: true,
	commands: []command{{backendCore, "nginx -c DIR/conf"}}}

// streamModule is nginx's for TCP, which Debian has in a package of its own; empty: it is not there.
func streamModule() string {
	const path = "/usr/lib/nginx/modules/ngx_stream_module.so"
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// functions are what templates may call: site gives an address as Caddy has it, for any host.
var functions = template.FuncMap{"site": func(scheme, address string) string {
	return scheme + "://" + address[strings.LastIndexByte(address, ':'):]
}}

const fairleadConf = `controller: {listen: "{{index .Free 0}}", admin: "{{index .Free 1}}", data: "{{.Dir}}/data"}
listeners:
  - {name: plain, address: "{{.At.plain}}", protocol: http}
  - {name: safe, address: "{{.At.safe}}", protocol: http, tls: {certificates: [{cert: "{{.Site}}/cert.pem", key: "{{.Site}}/key.pem"}]}}
  - {name: grpc, address: "{{.At.grpc}}", protocol: http}
  - {name: ws, address: "{{.At.ws}}", protocol: http}
  - {name: tcp, address: "{{.At.tcp}}", protocol: tcp}
  - {name: bulk, address: "{{.At.bulk}}", protocol: tcp}
routes:
  - {listener: plain, pool: http}
  - {listener: safe, pool: http}
  - {listener: grpc, pool: grpc}
  - {listener: ws, pool: ws}
  - {listener: tcp, pool: tcp}
  - {listener: bulk, pool: bulk}
pools:
  - {name: http, {{.Pool}}, health: {type: none}, backends: [{address: "{{.To.plain}}"}]}
  - {name: grpc, {{.Pool}}, health: {type: none}, http2: true, backends: [{address: "{{.To.grpc}}"}]}
  - {name: ws, {{.Pool}}, health: {type: none}, grant_limit: 0, backends: [{address: "{{.To.ws}}"}]}
  - {name: tcp, {{.Pool}}, health: {type: none}, grant_limit: 0, backends: [{address: "{{.To.tcp}}"}]}
  - {name: bulk, {{.Pool}}, health: {type: none}, grant_limit: 0, backends: [{address: "{{.To.bulk}}"}]}
`

const haproxyConf = `global
  nbthread 1
  maxconn 9200
  maxpipes 256
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  timeout tunnel 1h
  option splice-auto
  http-reuse always
listen http
  option forwardfor
  bind {{.At.plain}}
  bind {{.At.safe}} ssl crt {{.Site}}/both.pem alpn h2,http/1.1
  server s {{.To.plain}}
listen grpc
  option forwardfor
  bind {{.At.grpc}} proto h2
  server s {{.To.grpc}} proto h2
listen ws
  option forwardfor
  bind {{.At.ws}}
  server s {{.To.ws}}
listen tcp
  mode tcp
  bind {{.At.tcp}}
  server s {{.To.tcp}}
listen bulk
  mode tcp
  bind {{.At.bulk}}
  server s {{.To.bulk}}
`

// nginxHead is what every nginx has, up to its servers of HTTP.
const nginxHead = `{{if .Stream}}load_module {{.Stream}};{{end}}
worker_processes 1; daemon off; pid {{.Dir}}/pid; error_log {{.Dir}}/errors;
events { worker_connections 20000; multi_accept on; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 3600;
  client_body_temp_path {{.Site}}/temp-body; proxy_temp_path {{.Site}}/temp-proxy;
  fastcgi_temp_path {{.Site}}/temp-fcgi; uwsgi_temp_path {{.Site}}/temp-uwsgi; scgi_temp_path {{.Site}}/temp-scgi;
  ssl_certificate {{.Site}}/cert.pem; ssl_certificate_key {{.Site}}/key.pem;
`

const backendConf = nginxHead + `
  server {
    listen {{.At.plain}} reuseport backlog=4096; listen {{.At.safe}} ssl http2;
    location = / { return 200 "{{.Small}}"; }
    location = /big { root {{.Site}}; }
  }
}
`

const nginxConf = nginxHead + `
  upstream http { server {{.To.plain}}; keepalive 256; keepalive_requests 100000000; }
  upstream grpc { server {{.To.grpc}}; keepalive 256; keepalive_requests 100000000; }
  proxy_http_version 1.1;
  server {
    listen {{.At.plain}} reuseport backlog=4096; listen {{.At.safe}} ssl http2;
    location / { proxy_pass http://http; proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $remote_addr; }
  }
  server {
    listen {{.At.grpc}} http2;
    location / { grpc_pass grpc://grpc; grpc_set_header X-Forwarded-For $remote_addr; }
  }
  server {
    listen {{.At.ws}};
    location / {
      proxy_pass http://{{.To.ws}}; proxy_set_header X-Forwarded-For $remote_addr; proxy_read_timeout 1h;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
    }
  }
}
{{if .Stream}}stream {
  server { listen {{.At.tcp}} backlog=4096; proxy_pass {{.To.tcp}}; }
  server { listen {{.At.bulk}} backlog=4096; proxy_pass {{.To.bulk}}; }
}{{end}}
`

const caddyConf = `{
	admin off
	auto_https off
	persist_config off
	default_sni localhost
	log {
		level ERROR
	}
	servers {
		protocols h1 h2 h2c
	}
}
(up) {
	bind 127.0.0.1
	reverse_proxy {args[0]} {
		transport http {
			compression off
			keepalive_idle_conns_per_host 512
		}
	}
}
{{.At.plain | site "http"}} {
	import up {{.To.plain}}
}
{{.At.safe | site "https"}} {
	tls {{.Site}}/cert.pem {{.Site}}/key.pem
	import up {{.To.plain}}
}
{{.At.grpc | site "http"}} {
	import up h2c://{{.To.grpc}}
}
{{.At.ws | site "http"}} {
	import up {{.To.ws}}
}
`
