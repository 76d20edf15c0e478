// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"errors"
	"fmt"
	"net"
	"path"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/confignet"
	"golang.org/x/net/http/httpguts"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Bounds of the limits: beyond them a single item could exhaust the memory or the stack.
const (
	maxMaxItemBytes = 1 << 30
	maxMaxDepth     = 1000
	minMaxDepth     = 2
)

// Config is the receiver's part of the collector's configuration.
type Config struct {
	// ServerConfig is where and how the receiver listens: endpoint, tls, auth, cors, max_request_body_size and the rest.
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`
	// Path of the URL that events are posted to.
	Path string `mapstructure:"path"`
	// HealthPath of the URL that load balancers ask, without authentication. Empty: none.
	HealthPath string `mapstructure:"health_path"`
	// DefaultService is the service.name of items that have no service.
	DefaultService string `mapstructure:"default_service"`
	// CorrelationIDHeader is the header with the correlation id of items that have none of their own. Empty: no header.
	CorrelationIDHeader string `mapstructure:"correlation_id_header"`
	// Payload says which payload values are decoded.
	Payload PayloadConfig `mapstructure:"payload"`
	// MaxInFlightBytes is how many bytes of bodies, inflated, may be at work at once. Beyond, senders are asked to come back.
	MaxInFlightBytes int64 `mapstructure:"max_in_flight_bytes"`
	// MaxConnections is how many connections may be open; never more than half of the files that the process may have.
	MaxConnections int `mapstructure:"max_connections"`
	// MaxItems of one request. A request with more is refused as a whole, so that the sender can cut it up.
	MaxItems int `mapstructure:"max_items"`
	// MaxItemBytes is the longest that one item's JSON text may be, in bytes.
	MaxItemBytes int `mapstructure:"max_item_bytes"`
	// MaxDepth is how many objects and arrays may stand in one another in an item, itself and its payload included.
	MaxDepth int `mapstructure:"max_depth"`
	// MaxAttributes is how many values an item may have: fields, payload keys at any depth, and elements of lists.
	MaxAttributes int `mapstructure:"max_attributes"`
	// MaxValueBytes is the longest that one text of an item may be, in bytes, as it is written.
	MaxValueBytes int `mapstructure:"max_value_bytes"`

	_ struct{}
}

// PayloadConfig says which payload values are decoded.
type PayloadConfig struct {
	// Include names bulky or personal payload keys whose values are decoded all the same. What event_router keeps must be decoded.
	Include []string `mapstructure:"include"`

	_ struct{}
}

var _ component.Config = (*Config)(nil)

// Validate finds every mistake at once.
func (c *Config) Validate() error {
	var mistakes []error
	mistake := func(format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf(format, args...))
	}
	if c.ServerConfig.NetAddr.Endpoint == "" {
		mistake("'endpoint' is empty: name an address to listen on, such as %q", defaultEndpoint)
	} else if !isAddress(&c.ServerConfig.NetAddr) {
		mistake("'endpoint' is %q: write a host and a port, such as %q", c.ServerConfig.NetAddr.Endpoint, defaultEndpoint)
	}
	if !plainPath(c.Path) {
		mistake("'path' is %q: write an absolute path without spaces, braces, a query or a slash at its end, such as %q", c.Path, defaultPath)
	}
	if c.HealthPath != "" && c.HealthPath != "/" && !plainPath(c.HealthPath) {
		mistake("'health_path' is %q: write an absolute path without spaces, braces, a query or a slash at its end, such as %q, or write \"\" for none",
			c.HealthPath, defaultHealthPath)
	} else if c.HealthPath != "" && c.HealthPath == c.Path {
		mistake("'health_path' is %q, as 'path' is: write another path, such as %q, or write \"\" for none", c.HealthPath, defaultHealthPath)
	}
	if c.DefaultService == "" {
		mistake("'default_service' is empty: name the service of items that have none, or leave the setting out")
	}
	if c.CorrelationIDHeader != "" && !httpguts.ValidHeaderFieldName(c.CorrelationIDHeader) {
		mistake("'correlation_id_header' is %q: name an HTTP header, such as %q, or write \"\" to look at none",
			c.CorrelationIDHeader, defaultCorrelationIDHeader)
	}
	for i, key := range c.Payload.Include {
		if bulky := lifecycle.BulkyPayloadKeys(); !slices.Contains(bulky, key) {
			mistake("'payload::include[%d]' is %q, which is decoded anyway: remove it, or name one of %s", i, key, strings.Join(bulky, ", "))
		}
	}
	if c.MaxInFlightBytes < 1 {
		mistake("'max_in_flight_bytes' is %d: it must be at least 1", c.MaxInFlightBytes)
	}
	if c.MaxConnections < 1 {
		mistake("'max_connections' is %d: it must be at least 1", c.MaxConnections)
	}
	if c.MaxItems < 1 {
		mistake("'max_items' is %d: it must be at least 1", c.MaxItems)
	}
	if c.MaxItemBytes < 1 || c.MaxItemBytes > maxMaxItemBytes {
		mistake("'max_item_bytes' is %d: it must be from 1 to %d", c.MaxItemBytes, maxMaxItemBytes)
	}
	if c.MaxDepth < minMaxDepth || c.MaxDepth > maxMaxDepth {
		mistake("'max_depth' is %d: it must be from %d, an item and its payload, to %d", c.MaxDepth, minMaxDepth, maxMaxDepth)
	}
	if c.MaxAttributes < 1 {
		mistake("'max_attributes' is %d: it must be at least 1", c.MaxAttributes)
	}
	if c.MaxValueBytes < 1 || c.MaxValueBytes > maxMaxItemBytes {
		mistake("'max_value_bytes' is %d: it must be from 1 to %d", c.MaxValueBytes, maxMaxItemBytes)
	}
	server := &c.ServerConfig
	if server.MaxRequestBodySize < 0 {
		mistake("'max_request_body_size' is %d: write the largest body to take in bytes, or 0 for 20971520", server.MaxRequestBodySize)
	}
	if server.ReadTimeout <= 0 {
		mistake("'read_timeout' is %v: a sender that stalls would hold its connection for ever: write a time such as 1m", server.ReadTimeout)
	}
	if server.ReadHeaderTimeout < 0 {
		mistake("'read_header_timeout' is %v: write a time such as 10s, or 0 for that of 'read_timeout'", server.ReadHeaderTimeout)
	}
	for i, name := range server.CompressionAlgorithms {
		if !slices.Contains(knownEncodings[:], name) {
			mistake("'compression_algorithms[%d]' is %q: use %s, or \"\" for bodies that are not compressed",
				i, name, strings.Join(knownEncodings[1:], ", "))
		}
	}
	if server.KeepAlivesEnabled && server.IdleTimeout < 0 {
		mistake("'idle_timeout' is %v: idle connections would stay for ever: write a time such as 1m", server.IdleTimeout)
	}
	return errors.Join(mistakes...)
}

// isAddress tells whether a TCP endpoint has a host, perhaps an empty one, and a port.
func isAddress(at *confignet.AddrConfig) bool {
	if !strings.HasPrefix(string(at.Transport), string(confignet.TransportTypeTCP)) {
		return true // a socket in the file system
	}
	_, port, err := net.SplitHostPort(at.Endpoint)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	return err == nil && port != ""
}

// plainPath tells whether a path means itself in the pattern of an http.ServeMux.
func plainPath(p string) bool {
	return strings.HasPrefix(p, "/") && p != "/" && path.Clean(p) == p && !strings.ContainsAny(p, " \t\r\n{}?#%")
}
