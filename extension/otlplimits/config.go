// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package otlplimits

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// Config of otlp_limits. README.md explains every setting.
type Config struct {
	// MaxDepth is the largest nesting of lists and maps in a value.
	MaxDepth int `mapstructure:"max_depth"`
	// MaxRequestMemoryMiB is the largest memory of one decoded request.
	MaxRequestMemoryMiB int `mapstructure:"max_request_memory_mib"`
	// MaxMemoryMiB is the largest memory of all requests in progress.
	MaxMemoryMiB int `mapstructure:"max_memory_mib"`
	// MaxReceiving is how many gRPC requests may be received at once, over all connections.
	MaxReceiving int `mapstructure:"max_receiving"`
	// ConnectionTimeout is how long the handshake of a gRPC connection may take.
	ConnectionTimeout time.Duration `mapstructure:"connection_timeout"`
	// MaxFilesPercentage is the share of the process's file limit from which silent connections are closed, those of all its
	// servers.
	MaxFilesPercentage int `mapstructure:"max_files_percentage"`

	_ struct{} // keyed literals only
}

var _ component.Config = (*Config)(nil)

func createDefaultConfig() component.Config {
	return &Config{
		MaxDepth: 64, MaxRequestMemoryMiB: 64, MaxMemoryMiB: 128, MaxReceiving: 32, ConnectionTimeout: 10 * time.Second,
		MaxFilesPercentage: 75,
	}
}

// maxMaxDepth is the largest depth at which the decoder's stack does not matter.
const maxMaxDepth = 1000

// maxFilesPercentage leaves room for the connections of a second.
const maxFilesPercentage = 95

// Validate reports every mistake at once.
func (c *Config) Validate() error {
	mistakes := []error{
		configerr.InRange("max_depth", c.MaxDepth, 1, maxMaxDepth),
		configerr.AtLeast("max_request_memory_mib", c.MaxRequestMemoryMiB, 1),
		configerr.AtLeast("max_receiving", c.MaxReceiving, 1),
		configerr.InRange("max_files_percentage", c.MaxFilesPercentage, 0, maxFilesPercentage),
		configerr.Positive("connection_timeout", c.ConnectionTimeout, "10s"), // otherwise a silent connection stays open for ever
	}
	if c.MaxMemoryMiB < c.MaxRequestMemoryMiB {
		mistakes = append(mistakes, configerr.New("max_memory_mib", c.MaxMemoryMiB, "is less than max_request_memory_mib",
			fmt.Sprintf("use %d or more, or such a request would only be accepted alone", c.MaxRequestMemoryMiB)))
	}
	return errors.Join(mistakes...)
}
