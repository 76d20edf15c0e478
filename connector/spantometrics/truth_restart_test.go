// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// measured adds up what a world has seen, over all applications, by metric and labels.
func (w *world) measured() expectations {
	all := expectations{}
	for series, point := range w.cumulative {
		name, labels, _ := strings.Cut(series[strings.Index(series, " tasker.")+1:], " ")
		if all[name] == nil {
			all[name] = map[string]expected{}
		}
		sum := all[name][labels]
		sum.count += uint64(point.count)
		sum.nanos += int64(math.Round(point.sum * 1e9))
		all[name][labels] = sum
	}
	return all
}

// eventExpectations adds the expected measurements of the stream's events, without the connector's detection of duplicates.
func eventExpectations(items []item, into expectations) {
	number := func(it item, key string) (float64, bool) {
		value, ok := it.Payload[key].(float64)
		return value, ok
	}
	for _, it := range items {
		into.add("tasker.events", "event="+it.Event, 0)
		switch it.Event {
		case lifecycle.WorkflowViableStepsDiscovered:
			if it.Payload["step_names"] == nil {
				continue
			}
			count, ok := number(it, "viable_count")
			if !ok {
				count, _ = number(it, "step_count")
			}
			into.add("tasker.workflow.viable_steps", "", int64(count)*1e9)
		case lifecycle.DatabaseQueryExecuted: // all queries of the streams are alike
			took, _ := number(it, "duration")
			into.add("tasker.sql.queries", "db.collection.name=orders db.operation.name=SELECT", 0)
			into.add("tasker.sql.duration", "db.collection.name=orders db.operation.name=SELECT", int64(math.Round(took*1e9)))
		case lifecycle.PerformanceSlowOperation, lifecycle.PerformanceSlowSQLQuery:
			operation, _ := it.Payload["operation"].(string)
			if operation == "" {
				operation, _ = it.Payload["name"].(string)
			}
			labels := ""
			if operation != "" {
				labels = "operation=" + operation
			}
			into.add("tasker.slow_operations", labels, 0)
			if took, ok := number(it, "duration"); ok {
				into.add("tasker.operation.duration", labels, int64(math.Round(took*1e9)))
			}
			if grown, ok := number(it, "memory_delta_mb"); ok && grown >= 0 {
				into.add("tasker.operation.memory_delta", labels, int64(math.Round(grown*(1<<20)))*1e9)
			}
		}
	}
}

// addQueries adds queries of several kinds, which the streams lack, and their expected measurements.
func addQueries(ld plog.Logs, into expectations) {
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	for i, query := range []struct{ name, sql, labels string }{
		{"Order Update", "UPDATE orders SET state = 'paid' WHERE id = 7", "db.collection.name=orders db.operation.name=UPDATE"},
		{"", `INSERT INTO "shop"."carts" (id) VALUES (1), (2)`, "db.collection.name=shop.carts db.operation.name=INSERT"},
		{"Cart Destroy", "delete from `carts` where id = 1", "db.collection.name=carts db.operation.name=DELETE"},
		{"Item Load", "/* job */ SELECT i.* FROM items i JOIN orders o ON o.id = i.order_id", "db.collection.name=items db.operation.name=SELECT"},
		{"TRANSACTION", "COMMIT", "db.operation.name=COMMIT"},
		{"SCHEMA", "SELECT a.attname FROM pg_attribute a", ""},
		{"", "SHOW max_identifier_length", ""},
	} {
		for attempt := range i + 1 {
			took := int64(attempt+1) * 1_500_000
			addEvent(records, lifecycle.DatabaseQueryExecuted, 0, time.Unix(1_780_000_100, int64(i*100+attempt)), map[string]any{
				lifecycle.AttrName: query.name, lifecycle.AttrSQL: query.sql, lifecycle.AttrDuration: float64(took) / 1e9,
			})
			into.add("tasker.events", "event="+lifecycle.DatabaseQueryExecuted, 0)
			if query.labels != "" {
				into.add("tasker.sql.queries", query.labels, 0)
				into.add("tasker.sql.duration", query.labels, took)
			}
		}
	}
}

// addPerformance adds slow operations detected by the engine, which the streams lack.
func addPerformance(ld plog.Logs) (items []item) {
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	for i := range 60 {
		it := item{Event: lifecycle.PerformanceSlowOperation, Payload: map[string]any{
			"operation": []string{"export", "import"}[i%2], "duration": float64(i) / 8, "memory_delta_mb": float64(i) / 4,
		}}
		attrs := map[string]any{}
		for key, value := range it.Payload {
			attrs[lifecycle.AttributePrefix+key] = value
		}
		addEvent(records, it.Event, 0, time.Unix(1_780_000_000, int64(i)), attrs)
		items = append(items, it)
	}
	return items
}

// TestTruthAcrossRestarts sends the spans and events of whole streams, shuffled and many of them twice, to a process that
// is killed repeatedly, and compares every metric with the truth and the stream.
func TestTruthAcrossRestarts(t *testing.T) {
	for _, stream := range []string{"mixed", "planned"} {
		t.Run(stream, func(t *testing.T) {
			want := expectations{}
			var batches []batch
			for _, task := range readTruth(t, stream) {
				batches = append(batches, batch{td: finishedSpans(task, want)})
				for range len(task.Passes) - 1 {
					want.add("tasker.task.reenqueues", "reason=waiting_for_dependencies", 0)
				}
			}
			ld, items := readEvents(t, stream)
			items = append(items, addPerformance(ld)...)
			eventExpectations(items, want)
			addQueries(ld, want)
			for _, events := range shuffledBatches(ld) {
				batches = append(batches, batch{ld: events})
			}
			random := rand.New(rand.NewPCG(3, 4))
			random.Shuffle(len(batches), func(i, j int) { batches[i], batches[j] = batches[j], batches[i] })

			// The streams' date must not matter.
			w := newWorld(t, func(cfg *Config) { cfg.ActiveMaxAge = 100 * 365 * 24 * time.Hour })
			c := w.begin()
			for i, b := range batches {
				require.NoError(t, b.consume(c))
				if random.IntN(2) == 0 {
					require.NoError(t, batches[random.IntN(i+1)].consume(c))
				}
				switch random.IntN(4) {
				case 0:
					require.NoError(t, c.flush(context.Background()))
				case 1:
					w.crash()
					c = w.begin()
				}
			}
			require.NoError(t, c.flush(context.Background()))

			got := w.measured()
			for metric, labels := range want {
				require.Equal(t, labels, got[metric], metric)
			}
			total := func(metric string) (sum expected) {
				for _, part := range got[metric] {
					sum.count += part.count
					sum.nanos += part.nanos
				}
				return sum
			}
			for _, gauge := range []string{"tasker.tasks.active", "tasker.steps.active"} {
				require.NotEmpty(t, got[gauge])
				require.Zero(t, total(gauge).count, gauge)
			}
		})
	}
}
