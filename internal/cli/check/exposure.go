// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"net"
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/collectorconfig"
)

// checkExposure looks for unauthenticated listeners on all interfaces.
func (c *checker) checkExposure() {
	for _, p := range c.conf.Used() {
		switch {
		case p.Type == "tasker_events":
			c.checkServer(p, maySend, "endpoint")
		case p.Type == "tasker_pages":
			c.checkServer(p, maySee, "endpoint")
		case p.Type == "otlp" && p.Section == receivers:
			c.checkServer(p, maySend, "protocols", "grpc", "endpoint")
			c.checkServer(p, maySend, "protocols", "http", "endpoint")
		case p.Type == "zpages" || p.Type == "pprof":
			if endpoint := p.Setting("endpoint"); everywhere(endpoint) {
				c.add(LevelWarning, p.SettingKey("endpoint"), endpoint, "it exposes the internals of the process without authentication to everyone who can reach it", "listen on localhost")
			}
		}
	}
}

// What everyone who can reach a listener may do.
const (
	maySend = "send events"
	maySee  = "see every task with its errors"
)

// checkServer checks one listener.
func (c *checker) checkServer(p collectorconfig.Component, may string, keys ...string) {
	endpoint := p.Setting(keys...)
	with := func(key ...string) string { return p.Setting(append(slices.Clone(keys[:len(keys)-1]), key...)...) }
	if !everywhere(endpoint) || with("auth", "authenticator") != "" || with("tls", "client_ca_file") != "" || with("tls", "client_ca_pem") != "" {
		return
	}
	c.add(LevelWarning, p.SettingKey(keys...), endpoint, "everyone who can reach it may "+may+" without authentication",
		"set auth::authenticator (docs/security.md), or restrict access by a firewall or a NetworkPolicy")
}

// everywhere reports whether an address is on all interfaces.
func everywhere(endpoint string) bool {
	host, _, err := net.SplitHostPort(endpoint)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}
