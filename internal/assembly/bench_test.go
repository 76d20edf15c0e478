// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"encoding/binary"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
)

// BenchmarkAssemble measures the way from events to trees, per event.
func BenchmarkAssemble(b *testing.B) {
	for _, name := range []string{"mixed", "real/retry"} {
		b.Run(name, func(b *testing.B) {
			events := readStream(b, name)
			spans := 0
			a := assembly.New(limits(), func(tree *tree.Tree) { spans += len(tree.Spans) })
			now := time.Unix(1, 0)
			b.ReportAllocs()
			done := 0
			for round := uint64(0); done < b.N; round++ {
				for _, e := range events {
					e := *e
					binary.BigEndian.PutUint64(e.TraceID[:], round)
					a.Observe(&e, now)
					done++
				}
				now = now.Add(3 * time.Second)
				a.Advance(now)
			}
			b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(spans)/float64(done), "spans/event")
		})
	}
}

// BenchmarkOpenTasks measures the memory of half-finished open tasks of one workflow with distinct ids. In "parts", no event has
// arrived for the settle timeout.
func BenchmarkOpenTasks(b *testing.B) {
	b.Run("whole", func(b *testing.B) { benchOpenTasks(b, limits()) })
	b.Run("parts", func(b *testing.B) { benchOpenTasks(b, inParts(limits())) })
}

func benchOpenTasks(b *testing.B, limits assembly.Limits) {
	events := readStream(b, "order_processing")
	events = events[:len(events)/2]
	for b.Loop() {
		const tasks = 20_000
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		a := assembly.New(limits, func(*tree.Tree) {})
		for i := range uint64(tasks) {
			for _, e := range events {
				e := *e
				binary.BigEndian.PutUint64(e.TraceID[:], i)
				e.TaskID.Text = strconv.FormatUint(1_000_000+i, 10)
				if e.StepID.Text != "" {
					e.StepID.Text = e.TaskID.Text + e.StepID.Text
				}
				e.StepIDs = slices.Clone(e.StepIDs)
				for j, id := range e.StepIDs {
					e.StepIDs[j] = e.TaskID.Text + id
				}
				e.CorrelationID = e.TaskID.Text + e.CorrelationID
				a.Observe(&e, time.Unix(1, 0))
			}
		}
		for range 3 {
			a.Advance(time.Unix(1, 0).Add(limits.SettleTimeout))
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/tasks, "bytes/task")
		b.ReportMetric(float64(a.Stats().HeldBytes)/tasks, "held-bytes/task")
		b.ReportMetric(float64(len(events)), "events/task")
		runtime.KeepAlive(a)
	}
}

// BenchmarkParts compares both ways in turns: streams whose events arrive as they happen, in event time.
func BenchmarkParts(b *testing.B) {
	for _, name := range []string{"mixed", "real/retry"} {
		events := readStream(b, name)
		slices.SortFunc(events, func(a, b *event.Event) int { return int(a.At - b.At) })
		for _, limits := range []assembly.Limits{limits(), inParts(limits())} {
			b.Run(name+"/"+map[bool]string{false: "whole", true: "parts"}[limits.Parts], func(b *testing.B) {
				a := assembly.New(limits, func(*tree.Tree) {})
				done := 0
				for round := uint64(0); done < b.N; round++ {
					for i, e := range events {
						e := *e
						e.TraceID[0], e.TraceID[1] = byte(round), byte(round>>8)
						now := time.Unix(0, e.At+int64(round)*int64(24*time.Hour))
						e.At = now.UnixNano()
						if i%20 == 0 {
							a.Advance(now)
						}
						a.Observe(&e, now)
						done++
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(done), "ns/event")
				b.ReportMetric(float64(a.Stats().Read)/float64(done), "reads/event")
			})
		}
	}
}
