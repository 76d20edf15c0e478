// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

const (
	// keptTraces is how many traces are kept, a power of two.
	keptTraces = 256
	// maxKeptID is the longest id of a task that is kept, so that the memory is bounded. UUIDs are shorter.
	maxKeptID = 64
)

// TraceIDs works out the traces of tasks as [TraceID] does and keeps those of the last, because the events of a task come
// close together and a hash takes longer than to look. The zero value is ready. One goroutine uses it at a time.
type TraceIDs struct {
	kept [keptTraces]keptTrace
}

type keptTrace struct {
	namespace, service, task string
	trace                    pcommon.TraceID
}

// Of returns the trace of a task.
func (t *TraceIDs) Of(namespace, service, taskID string) pcommon.TraceID {
	if taskID == "" || len(taskID) > maxKeptID || len(namespace)+len(service) > maxKeptID {
		return TraceID(namespace, service, taskID)
	}
	place := &t.kept[xxh3.HashString(taskID)%keptTraces]
	if place.task != taskID || place.service != service || place.namespace != namespace {
		*place = keptTrace{namespace, service, taskID, TraceID(namespace, service, taskID)}
	}
	return place.trace
}
