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

	_ struct{} // keyed literals only
}

var _ component.Config = (*Config)(nil)

func createDefaultConfig() component.Config {
	return &Config{MaxDepth: 64, MaxRequestMemoryMiB: 64, MaxMemoryMiB: 128, MaxReceiving: 32, ConnectionTimeout: 10 * time.Second}
}

// maxMaxDepth is the largest depth whose frames of the decoder are of no account.
const maxMaxDepth = 1000

// Validate finds every mistake at once.
func (c *Config) Validate() error {
	var errs []error
	if c.MaxDepth < 1 || c.MaxDepth > maxMaxDepth {
		errs = append(errs, fmt.Errorf("'max_depth' is %d: it must be from 1 to %d", c.MaxDepth, maxMaxDepth))
	}
	if c.MaxRequestMemoryMiB < 1 {
		errs = append(errs, fmt.Errorf("'max_request_memory_mib' is %d: it must be at least 1", c.MaxRequestMemoryMiB))
	}
	if c.MaxMemoryMiB < c.MaxRequestMemoryMiB {
		errs = append(errs, fmt.Errorf("'max_memory_mib' is %d: it must be at least 'max_request_memory_mib', %d, or such a request would only be taken alone",
			c.MaxMemoryMiB, c.MaxRequestMemoryMiB))
	}
	if c.MaxReceiving < 1 {
		errs = append(errs, fmt.Errorf("'max_receiving' is %d: it must be at least 1", c.MaxReceiving))
	}
	if c.ConnectionTimeout <= 0 {
		errs = append(errs, fmt.Errorf("'connection_timeout' is %v: a silent connection would stay for ever: write a time such as 10s", c.ConnectionTimeout))
	}
	return errors.Join(append(errs, configerr.CheckUnit("'connection_timeout'", c.ConnectionTimeout, "10s"))...)
}
