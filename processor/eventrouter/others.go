// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"

	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
)

// notTasker reports whether a record with that name belongs to another program. Loggers give records event names, too: that of the
// call site (tracing-opentelemetry). An event of Tasker or of an application has a route, a name that Tasker defines, or a task.
func notTasker(table *routing.Table, name string, attrs pcommon.Map) bool {
	if table.Lookup(name) != table.Fallback() || lifecycle.Defines(name) {
		return false
	}
	_, ofTask := eventrecord.TaskID(attrs)
	return !ofTask
}

// others passes on only, and unchanged, the records that a router with the same routes attributes to other programs.
type others struct {
	table *routing.Table
}

func newOthers(ctx context.Context, set processor.Settings, cfg *Config, next consumer.Logs) (processor.Logs, error) {
	table, err := routing.Compile(cfg.Routing())
	if err != nil {
		return nil, err
	}
	return processorhelper.NewLogs(ctx, set, cfg, next, (&others{table}).process,
		processorhelper.WithCapabilities(consumer.Capabilities{MutatesData: true}))
}

func (o *others) process(_ context.Context, logs plog.Logs) (plog.Logs, error) {
	if records, err := eventbatch.Records(logs); err == nil { // what cannot be read is no batch of events
		logs = records
	}
	logs.ResourceLogs().RemoveIf(func(rl plog.ResourceLogs) bool {
		rl.ScopeLogs().RemoveIf(func(sl plog.ScopeLogs) bool {
			sl.LogRecords().RemoveIf(func(record plog.LogRecord) bool { return !o.is(record) })
			return sl.LogRecords().Len() == 0
		})
		return rl.ScopeLogs().Len() == 0
	})
	if logs.ResourceLogs().Len() == 0 {
		return logs, processorhelper.ErrSkipProcessingData
	}
	return logs, nil
}

// is reports whether a record belongs to another program; the router counts it as no_name or not_tasker.
func (o *others) is(record plog.LogRecord) bool {
	name := eventrecord.Name(record)
	return name == "" || len(name) <= lifecycle.MaxEventName && notTasker(o.table, name, record.Attributes())
}
