// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrecord

import (
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Message returns the one-line description of a record, made from its name and attributes.
func Message(record plog.LogRecord) string {
	attrs := record.Attributes()
	task, _ := TaskID(attrs)
	return lifecycle.Message(record.EventName(), task, Text(attrs, lifecycle.AttrTaskName), Text(attrs, lifecycle.AttrStepName),
		Text(attrs, lifecycle.AttrErrorMessage))
}
