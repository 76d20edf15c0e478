// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"strconv"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

const (
	// keptTraces is the number of cached trace IDs, a power of two.
	keptTraces = 256
	// maxKeptID is the length of the longest cached task ID, to bound memory. UUIDs are shorter.
	maxKeptID = 64
)

// TraceIDs computes trace IDs as [TraceID] does and caches the most recent ones, because a task's events arrive close
// together. The zero value is ready for use. It is not safe for concurrent use.
type TraceIDs struct {
	kept [keptTraces]keptTrace
	// numbered are those of tasks whose ids are integers.
	numbered [keptTraces]numberedTrace
}

type keptTrace struct {
	namespace, service, task string
	trace                    pcommon.TraceID
}

type numberedTrace struct {
	namespace, service string
	task               int64
	trace              pcommon.TraceID
}

// Of returns the trace ID of a task.
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

// OfNumber is Of for a task whose ID is an integer.
func (t *TraceIDs) OfNumber(namespace, service string, taskID int64) pcommon.TraceID {
	place := &t.numbered[uint64(taskID)%keptTraces]
	if place.trace.IsEmpty() || place.task != taskID || place.service != service || place.namespace != namespace {
		trace := TraceID(namespace, service, strconv.FormatInt(taskID, 10))
		if len(namespace)+len(service) > maxKeptID {
			return trace
		}
		*place = numberedTrace{namespace, service, taskID, trace}
	}
	return place.trace
}
