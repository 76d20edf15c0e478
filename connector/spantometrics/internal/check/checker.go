// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// checker collects the mistakes of the section metrics.
type checker struct {
	cfg      *declaration.Config
	mistakes []error
	// taken maps Prometheus names to the metrics that have them.
	taken map[string]string
}

func (c *checker) add(key string, value any, wrong, remedy string) {
	c.mistakes = append(c.mistakes, configerr.New(key, value, wrong, remedy))
}
