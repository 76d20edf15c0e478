// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/tally"
)

// Output is where the values of a batch are recorded and its outcomes are counted.
type Output struct {
	Writer series.Writer
	Tally  tally.Batch
}
