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
	// MaxDepth is how many lists and maps may stand in one another in a value.
	MaxDepth int `mapstructure:"max_depth"`
	// MaxRequestMemoryMiB is the most that one request may take when it is decoded.
	MaxRequestMemoryMiB int `mapstructure:"max_request_memory_mib"`
	// MaxMemoryMiB is the most that all requests at work may take.
	MaxMemoryMiB int `mapstructure:"max_memory_mib"`
	// MaxReceiving is how many gRPC requests may be on their way at once, over all connections.
	MaxReceiving int `mapstructure:"max_receiving"`
	// ConnectionTimeout is how long a gRPC connection may take to say what it is.
	ConnectionTimeout time.Duration `mapstructure:"connection_timeout"`
	// MaxFilesPercentage is how many of the files that the process may have are open until silent connections are closed, those
	// of all servers of the process.
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

// maxMaxDepth is the largest depth whose frames of the decoder are of no account.
const maxMaxDepth = 1000

// maxFilesPercentage leaves room for connections that come within a second.
const maxFilesPercentage = 95

// Validate reports every mistake at once.
func (c *Config) Validate() error {
	mistakes := []error{
		configerr.InRange("max_depth", c.MaxDepth, 1, maxMaxDepth),
		configerr.AtLeast("max_request_memory_mib", c.MaxRequestMemoryMiB, 1),
		configerr.AtLeast("max_receiving", c.MaxReceiving, 1),
		configerr.InRange("max_files_percentage", c.MaxFilesPercentage, 0, maxFilesPercentage),
		configerr.Positive("connection_timeout", c.ConnectionTimeout, "10s"), // else a silent connection stays for ever
	}
	if c.MaxMemoryMiB < c.MaxRequestMemoryMiB {
		mistakes = append(mistakes, configerr.New("max_memory_mib", c.MaxMemoryMiB, "is less than max_request_memory_mib",
			fmt.Sprintf("use %d or more, or such a request would only be accepted alone", c.MaxRequestMemoryMiB)))
	}
	return errors.Join(mistakes...)
}
