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

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
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
	// ServerConfig configures the HTTP server: endpoint, tls, auth, cors, max_request_body_size and the rest.
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`
	// Path is the URL path that events are posted to.
	Path string `mapstructure:"path"`
	// OTLPPath is the URL path that OTLP logs are posted to, in protobuf. Empty means none.
	OTLPPath string `mapstructure:"otlp_path"`
	// HealthPath is the URL path for health checks of load balancers, without authentication. Empty means none.
	HealthPath string `mapstructure:"health_path"`
	// DefaultService is the service.name of items that have no service.
	DefaultService string `mapstructure:"default_service"`
	// CorrelationIDHeader is the header with the correlation id of items that have none. Empty means no header.
	CorrelationIDHeader string `mapstructure:"correlation_id_header"`
	// LogRecords is each, for a log record for each event; batched, for one record with most events of a request, which only
	// event_router, routed_events and span_to_metrics can read; or auto, for batched where the collector finds that only these read it,
	// and else each.
	LogRecords string `mapstructure:"log_records"`
	// Payload says which payload values are decoded.
	Payload PayloadConfig `mapstructure:"payload"`
	// MaxInFlightBytes is how many bytes of inflated bodies may be in progress at once. Beyond it senders are asked to retry.
	MaxInFlightBytes int64 `mapstructure:"max_in_flight_bytes"`
	// MaxConnections is how many connections may be open; at most half of the process's file limit.
	MaxConnections int `mapstructure:"max_connections"`
	// MaxItems is the largest number of items per request. A request with more is refused as a whole, so that the sender can split
	// it.
	MaxItems int `mapstructure:"max_items"`
	// MaxItemBytes is the largest size of an item's JSON text in bytes.
	MaxItemBytes int `mapstructure:"max_item_bytes"`
	// MaxDepth is the largest nesting of objects and arrays in an item, including itself and its payload.
	MaxDepth int `mapstructure:"max_depth"`
	// MaxAttributes is how many values an item may have: fields, payload keys at any depth, and elements of lists.
	MaxAttributes int `mapstructure:"max_attributes"`
	// MaxValueBytes is the largest size of a string of an item in bytes, as encoded.
	MaxValueBytes int `mapstructure:"max_value_bytes"`

	_ struct{}
}

// PayloadConfig sets which payload values are decoded.
type PayloadConfig struct {
	// Include names bulky or personal payload keys whose values are decoded nevertheless. Values that event_router keeps must be
	// decoded.
	Include []string `mapstructure:"include"`
	// Decode is all, or used: of the events that only shape trees, values that neither trees nor built-in metrics are made of are not
	// decoded.
	Decode string `mapstructure:"decode"`

	_ struct{}
}

// Values of log_records.
const (
	recordsAuto    = "auto"
	recordsEach    = "each"
	recordsBatched = "batched"
)

// Values of payload::decode.
const (
	decodeAll  = "all"
	decodeUsed = "used"
)

// unused returns the payload keys that are not decoded, by event.
func (c *PayloadConfig) unused() map[string][]string {
	if c.Decode == decodeUsed {
		return lifecycle.UnusedPayloadKeys()
	}
	return nil
}

var _ component.Config = (*Config)(nil)

// Validate reports every mistake at once.
func (c *Config) Validate() error {
	return errors.Join(
		c.checkEndpoint(),
		c.checkPaths(),
		c.checkNames(),
		configerr.AtLeast("max_in_flight_bytes", c.MaxInFlightBytes, 1),
		configerr.AtLeast("max_connections", c.MaxConnections, 1),
		configerr.AtLeast("max_items", c.MaxItems, 1),
		configerr.InRange("max_item_bytes", c.MaxItemBytes, 1, maxMaxItemBytes),
		configerr.InRange("max_depth", c.MaxDepth, minMaxDepth, maxMaxDepth), // an item and its payload are two
		configerr.AtLeast("max_attributes", c.MaxAttributes, 1),
		configerr.InRange("max_value_bytes", c.MaxValueBytes, 1, maxMaxItemBytes),
		configerr.OneOf("log_records", c.LogRecords, recordsAuto, recordsEach, recordsBatched),
		c.Payload.check(),
		checkServer(&c.ServerConfig),
	)
}

func (c *Config) checkEndpoint() error {
	if isAddress(&c.ServerConfig.NetAddr) {
		return nil
	}
	return configerr.New("endpoint", c.ServerConfig.NetAddr.Endpoint, "is not an address to listen on",
		fmt.Sprintf("use a host and a port, such as %q", defaultEndpoint))
}

func (c *Config) checkPaths() error {
	const not = "is not an absolute path without spaces, braces, a query or a slash at its end"
	var mistakes []error
	if !plainPath(c.Path) {
		mistakes = append(mistakes, configerr.New("path", c.Path, not, fmt.Sprintf("use one such as %q", defaultPath)))
	}
	remedy := fmt.Sprintf("use another path, such as %q, or \"\" for none", defaultOTLPPath)
	if c.OTLPPath != "" && !plainPath(c.OTLPPath) {
		mistakes = append(mistakes, configerr.New("otlp_path", c.OTLPPath, not, remedy))
	} else if c.OTLPPath != "" && c.OTLPPath == c.Path {
		mistakes = append(mistakes, configerr.New("otlp_path", c.OTLPPath, "is the path of events too", remedy))
	}
	remedy = fmt.Sprintf("use another path, such as %q, or \"\" for none", defaultHealthPath)
	if c.HealthPath != "" && c.HealthPath != "/" && !plainPath(c.HealthPath) {
		mistakes = append(mistakes, configerr.New("health_path", c.HealthPath, not, remedy))
	} else if c.HealthPath != "" && (c.HealthPath == c.Path || c.HealthPath == c.OTLPPath) {
		mistakes = append(mistakes, configerr.New("health_path", c.HealthPath, "is the path of events too", remedy))
	}
	return errors.Join(mistakes...)
}

func (c *Config) checkNames() error {
	var mistakes []error
	if c.DefaultService == "" {
		mistakes = append(mistakes, configerr.New("default_service", c.DefaultService, "is not a name",
			"use a name for the service of items that have none, or leave the setting out"))
	}
	if c.CorrelationIDHeader != "" && !httpguts.ValidHeaderFieldName(c.CorrelationIDHeader) {
		mistakes = append(mistakes, configerr.New("correlation_id_header", c.CorrelationIDHeader, "is not a name of an HTTP header",
			fmt.Sprintf("use one such as %q, or \"\" for none", defaultCorrelationIDHeader)))
	}
	return errors.Join(mistakes...)
}

func (c *PayloadConfig) check() error {
	var mistakes []error
	if err := configerr.OneOf(configerr.Path("payload", "decode"), c.Decode, decodeAll, decodeUsed); err != nil {
		mistakes = append(mistakes, err)
	}
	bulky := lifecycle.BulkyPayloadKeys()
	for i, key := range c.Include {
		if !slices.Contains(bulky, key) {
			mistakes = append(mistakes, configerr.New(configerr.Index(configerr.Path("payload", "include"), i), key, "is decoded anyway",
				"remove it, or use one of "+configerr.List(bulky)))
		}
	}
	return errors.Join(mistakes...)
}

func checkServer(server *confighttp.ServerConfig) error {
	mistakes := []error{
		configerr.OrZero("max_request_body_size", server.MaxRequestBodySize, "for 20971520"),
		configerr.Positive("read_timeout", server.ReadTimeout, "1m"), // otherwise a stalled sender holds its connection for ever
		configerr.NotNegative("read_header_timeout", server.ReadHeaderTimeout, "10s", "for that of read_timeout"),
	}
	for i, name := range server.CompressionAlgorithms {
		mistakes = append(mistakes, configerr.OneOf(configerr.Index("compression_algorithms", i), name, knownEncodings[:]...))
	}
	if server.KeepAlivesEnabled {
		mistakes = append(mistakes, configerr.NotNegative("idle_timeout", server.IdleTimeout, "1m", "for that of read_timeout"))
	}
	return errors.Join(mistakes...)
}

// isAddress reports whether a TCP endpoint has a host, perhaps an empty one, and a port.
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

// plainPath reports whether a path has no special meaning in the pattern of an http.ServeMux.
func plainPath(p string) bool {
	return strings.HasPrefix(p, "/") && p != "/" && path.Clean(p) == p && !strings.ContainsAny(p, " \t\r\n{}?#%")
}
