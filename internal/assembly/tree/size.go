// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree/critical"
)

// Size returns about how many bytes the task takes, without what its releases left and what is encoded.
func (t *Task) Size() int64 { return t.Events.Size() + t.emission.size() + t.sizeOfCheckpoint() }

// size returns about how many bytes the emission takes; zero for nil.
func (e *emission) size() int64 {
	if e == nil {
		return 0
	}
	n := bytesPerEmission + int64(cap(e.spans))*bytesPerEmitted + int64(cap(e.parents))*bytesPerParent + int64(cap(e.ids.list))*bytesPerKnownID
	return n
}

// sizeOfCheckpoint returns about how many bytes the checkpoint takes.
func (t *Task) sizeOfCheckpoint() int64 {
	cp, sum := t.Checkpoint, t.out().forgotten
	if cp == nil {
		return 0
	}
	n := int64(bytesPerCheckpoint + len(cp.Steps)*bytesPerAttemptState)
	for i := range cp.Steps {
		if cp.Steps[i].Backoff != nil {
			n += bytesPerBackoff
		}
	}
	for _, notes := range [...]spanEvents{sum.notes, sum.inPass} {
		for i := range notes.list {
			n += bytesPerKeptNote
			for j := range notes.list[i].Attributes {
				n += event.BytesPerAttribute + int64(len(notes.list[i].Attributes[j].Value.Text))
			}
		}
	}
	return n + int64(sum.nodeCount())*bytesPerNode
}

// nodeCount returns how many nodes of the critical path are held, at most.
func (s *summary) nodeCount() int {
	n := len(s.nodes)
	if s.latest != nil {
		n += int(min(s.latest.Length, critical.MostOnPath))
	}
	return n
}

const (
	bytesPerEmission     = 128
	bytesPerKnownID      = 48
	bytesPerEmitted      = 40
	bytesPerParent       = 56
	bytesPerCheckpoint   = 560
	bytesPerAttemptState = 80
	bytesPerBackoff      = 64
	bytesPerKeptNote     = 72
	bytesPerNode         = 112
)
