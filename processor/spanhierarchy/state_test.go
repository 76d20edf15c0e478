// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/health/healthtest"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/journaltest"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// eventSpansOf returns the lines of one service as event spans.
func eventSpansOf(t testing.TB, lines [][]byte) ptrace.Traces {
	t.Helper()
	logs, err := streamtest.ToLogs(lines, "")
	require.NoError(t, err)
	td := ptrace.NewTraces()
	for _, rl := range logs.ResourceLogs().All() {
		rs := td.ResourceSpans().AppendEmpty()
		rl.Resource().CopyTo(rs.Resource())
		service, _ := rl.Resource().Attributes().Get(lifecycle.AttrServiceName)
		ss := rs.ScopeSpans().AppendEmpty()
		ss.Scope().SetName(lifecycle.ScopeEvents)
		for _, sl := range rl.ScopeLogs().All() {
			for i, record := range sl.LogRecords().All() {
				span := ss.Spans().AppendEmpty()
				task, _ := record.Attributes().Get(lifecycle.AttrTaskID)
				span.SetName(record.EventName())
				span.SetTraceID(lifecycle.TraceID("", service.Str(), task.AsString()))
				var id pcommon.SpanID
				binary.BigEndian.PutUint64(id[:], xxh3.Hash(lines[i]))
				span.SetSpanID(id)
				span.SetStartTimestamp(record.Timestamp())
				record.Attributes().CopyTo(span.Attributes())
			}
		}
	}
	return td
}

// incarnation is one process of the processor; what it emits after its end is discarded.
type incarnation struct {
	*hierarchy
	mu    sync.Mutex
	ended bool
	taken []taken
	fail  func() error
}

// taken are spans that the next component accepted at a time.
type taken struct {
	at    time.Time
	spans []streamtest.Span
}

func (i *incarnation) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (i *incarnation) ConsumeTraces(_ context.Context, td ptrace.Traces) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ended {
		return errors.New("nobody hears")
	}
	if i.fail != nil {
		if err := i.fail(); err != nil {
			return err
		}
	}
	i.taken = append(i.taken, taken{time.Now(), streamtest.FromTraces(td)})
	return nil
}

// inMemory is how long the next component has spans in memory only, and loses them when it dies, too.
const inMemory = 2 * time.Second

// die ends the incarnation at once: what its goroutines emit or store afterwards is discarded. It returns what has left the
// process.
func (i *incarnation) die(t testing.TB) []streamtest.Span {
	i.mu.Lock()
	i.ended = true
	i.mu.Unlock()
	until := time.Now().Add(-inMemory)
	require.NoError(t, i.Shutdown(context.Background()))
	return i.emitted(until)
}

// stopWithNext ends the incarnation gracefully, and with it the next component, which loses what it has only in memory.
func (i *incarnation) stopWithNext(t testing.TB) []streamtest.Span {
	until := time.Now().Add(-inMemory)
	require.NoError(t, i.Shutdown(context.Background()))
	return i.emitted(until)
}

// stop ends the incarnation gracefully and returns all that it has emitted.
func (i *incarnation) stop(t testing.TB) []streamtest.Span {
	require.NoError(t, i.Shutdown(context.Background()))
	return i.emitted(time.Now())
}

func (i *incarnation) emitted(until time.Time) []streamtest.Span {
	i.mu.Lock()
	defer i.mu.Unlock()
	var spans []streamtest.Span
	for _, t := range i.taken {
		if !t.at.After(until) {
			spans = append(spans, t.spans...)
		}
	}
	return spans
}

func incarnate(t *testing.T, s *journaltest.Storage, change func(*Config)) *incarnation {
	t.Helper()
	i := new(incarnation)
	i.hierarchy = newTest(t, i, func(cfg *Config) {
		cfg.Storage = &journaltest.ID
		if change != nil {
			change(cfg)
		}
	})
	require.NoError(t, i.Start(t.Context(), s.Host()))
	return i
}

// TestAnyCrashIsAsIfNothingHappened: whenever the process dies, also between writing a batch and acknowledging it, or between
// emitting a tree and recording it, the spans of all processes together are the truth.
func TestAnyCrashIsAsIfNothingHappened(t *testing.T) {
	for _, emit := range []string{emitWhole, emitParts} {
		for seed := range uint64(8) {
			t.Run(fmt.Sprint(emit, "/", seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { crashes(t, seed, emit) })
			})
		}
	}
}

func crashes(t *testing.T, seed uint64, emit string) {
	random := rand.New(rand.NewPCG(seed, 1))
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 20, Seed: seed, Failures: true, Planned: seed%2 == 0, SpacingMS: 30})
	batches := streamtest.Resend(streamtest.Batches(streamtest.Shuffle(lines, 200, seed), 40), 7)
	storage := journaltest.New()
	life := incarnate(t, storage, func(cfg *Config) { cfg.Emit = emit })
	var spans []streamtest.Span
	lives := 1
	next := func(found *journaltest.Storage) {
		storage = found
		time.Sleep(time.Duration(random.IntN(60)) * time.Second) // the time that the collector is unavailable
		life = incarnate(t, storage, func(cfg *Config) { cfg.Emit, cfg.Shards = emit, 1+random.IntN(3) })
		lives++
	}
	rebirth := func(found *journaltest.Storage) {
		spans = append(spans, life.die(t)...)
		next(found)
	}
	for at := 0; at < len(batches); {
		batch := eventSpansOf(t, batches[at])
		if at%2 == 1 {
			batch = inBatches(batch)
		}
		switch random.IntN(13) {
		case 0: // before the batch
			rebirth(storage.Crashed())
		case 1: // written and not acknowledged: it is sent again
			require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), batch))
			rebirth(storage.Crashed())
			continue
		case 2: // during the write
			var found *journaltest.Storage
			storage.AfterBatch(func() {
				if found == nil {
					found = storage.Crashed()
				}
			})
			_ = life.hierarchy.ConsumeTraces(t.Context(), batch)
			if found != nil {
				rebirth(found)
			}
			continue
		case 3: // the storage is full for a while
			storage.Fail(errors.New("the disk is full"))
			require.Error(t, life.hierarchy.ConsumeTraces(t.Context(), batch))
			storage.Fail(nil)
			continue
		case 4: // a compaction
			require.NoError(t, life.state.compact(t.Context()))
		case 5: // some time passes, and trees are emitted
			time.Sleep(time.Duration(random.IntN(1500)) * time.Millisecond)
		case 6: // trees are emitted, but their releases are lost
			before := storage.Crashed()
			time.Sleep(500 * time.Millisecond)
			rebirth(before)
		case 7: // a stop, and the next component loses what it has in memory
			spans = append(spans, life.stopWithNext(t)...)
			next(storage)
		}
		require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), batch))
		at++
		time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond)
	}
	time.Sleep(time.Minute)
	require.NoError(t, life.state.compact(t.Context()))
	rebirth(storage.Crashed())
	time.Sleep(time.Minute)
	spans = append(spans, life.stop(t)...)
	require.Greater(t, lives, 2)

	once := map[string]streamtest.Span{}
	for _, span := range spans {
		id := span.TraceText() + span.SpanText()
		if before, again := once[id]; again {
			assert.Equal(t, before, span, "a span that is emitted again is the same")
		}
		once[id] = span
	}
	unique := make([]streamtest.Span, 0, len(once))
	for _, span := range spans {
		id := span.TraceText() + span.SpanText()
		if _, first := once[id]; first {
			unique = append(unique, span)
			delete(once, id)
		}
	}
	for _, difference := range streamtest.Compare(truth, unique) {
		t.Error(difference)
	}
}

// TestOpenTasksStayOpenOverAStop: with storage a graceful stop emits nothing unfinished, and the next start continues.
func TestOpenTasksStayOpenOverAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := journaltest.New()
		life := incarnate(t, s, nil)
		require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), events("1", lifecycle.TaskStartRequested, lifecycle.WorkflowTaskStarted)))
		assert.Empty(t, life.stop(t))
		life = incarnate(t, s, nil)
		assert.EqualValues(t, 1, life.shards[0].stats().OpenTasks+life.shards[1].stats().OpenTasks)
		require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), whole("1")))
		time.Sleep(time.Minute)
		spans := life.stop(t)
		require.NotEmpty(t, spans)
		assert.NotContains(t, spans[0].Attributes, lifecycle.AttrIncomplete)
		life = incarnate(t, s, nil)
		time.Sleep(time.Hour)
		assert.Empty(t, life.stop(t), "what was emitted is not emitted again")
	})
}

// TestTimeAwayCountsForNothing: a task that waits for a late event keeps waiting after a long stop.
func TestTimeAwayCountsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := journaltest.New()
		life := incarnate(t, s, nil)
		require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), whole("1"))) // misses events: it settles after 30 s
		time.Sleep(10 * time.Second)
		assert.Empty(t, life.stop(t))
		time.Sleep(time.Hour)
		life = incarnate(t, s, nil)
		time.Sleep(15 * time.Second)
		assert.Empty(t, life.emitted(time.Now()))
		time.Sleep(30 * time.Second)
		assert.NotEmpty(t, life.stop(t))
	})
}

// TestWhatIsRefusedStaysStored: refused trees stay stored across a stop, and are passed on once.
func TestWhatIsRefusedStaysStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := journaltest.New()
		life := incarnate(t, s, nil)
		life.fail = func() error { return errors.New("queue is full") }
		require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), whole("1")))
		time.Sleep(2 * time.Minute)
		require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), whole("2")))
		require.NoError(t, life.state.compact(t.Context()), "what is on its way is needed")
		assert.Empty(t, life.stop(t))
		life = incarnate(t, s, nil)
		time.Sleep(2 * time.Minute)
		roots := 0
		for _, span := range life.stop(t) {
			if span.Name == lifecycle.SpanTask {
				roots++
			}
		}
		assert.Equal(t, 2, roots)
	})
}

// TestWhatTheNextComponentHeldInMemory: a tree is emitted again after a crash soon after its emission, and only then.
func TestWhatTheNextComponentHeldInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := journaltest.New()
		life := incarnate(t, s, func(cfg *Config) { cfg.SettleTimeout = cfg.ReorderWindow })
		require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), whole("1")))
		time.Sleep(4 * time.Second)
		require.NotEmpty(t, life.emitted(time.Now()))
		soon := s.Crashed()
		time.Sleep(10 * time.Second)
		later := s.Crashed()
		first := life.stop(t)

		life = incarnate(t, soon, nil)
		time.Sleep(time.Minute)
		assert.Equal(t, first, life.stop(t))
		life = incarnate(t, later, nil)
		time.Sleep(time.Minute)
		assert.Empty(t, life.stop(t))
	})
}

// TestAStopRepeatsRecentEmissions: the next components stop afterwards, and lose what they only have in memory.
func TestAStopRepeatsRecentEmissions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := journaltest.New()
		life := incarnate(t, s, func(cfg *Config) { cfg.SettleTimeout = cfg.ReorderWindow })
		require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), whole("1")))
		time.Sleep(4 * time.Second)
		first := life.stop(t)
		require.NotEmpty(t, first)

		life = incarnate(t, s, func(cfg *Config) { cfg.SettleTimeout = cfg.ReorderWindow })
		time.Sleep(time.Minute)
		assert.Equal(t, first, life.stop(t), "they were handed on within emit_again_within of the stop")
		life = incarnate(t, s, func(cfg *Config) { cfg.EmitAgainWithin = 0 })
		time.Sleep(time.Minute)
		assert.Empty(t, life.stop(t))

		require.NoError(t, life.Shutdown(t.Context()))
		life = incarnate(t, s, func(cfg *Config) { cfg.SettleTimeout, cfg.EmitAgainWithin = cfg.ReorderWindow, 0 })
		require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), whole("2")))
		time.Sleep(4 * time.Second)
		assert.NotEmpty(t, life.stop(t))
		life = incarnate(t, s, nil)
		time.Sleep(time.Minute)
		assert.Empty(t, life.stop(t), "the next component keeps what it takes")
	})
}

// TestAFailingStorageShowsInTheHealth: a failed write is reported as the component's status, and so is its recovery.
func TestAFailingStorageShowsInTheHealth(t *testing.T) {
	storage := journaltest.New()
	h := newTest(t, consumertest.NewNop(), func(cfg *Config) { cfg.Storage = &journaltest.ID })
	host := &healthtest.Host{Host: storage.Host()}
	require.NoError(t, h.Start(t.Context(), host))
	storage.Fail(errors.New("the disk is full"))
	require.Error(t, h.ConsumeTraces(t.Context(), whole("1")))
	require.Equal(t, []string{"the state can't be written to the storage: the disk is full"}, host.Reported())
	storage.Fail(nil)
	require.NoError(t, h.ConsumeTraces(t.Context(), whole("1")))
	require.Equal(t, "ok", host.Reported()[1])
	require.NoError(t, h.Shutdown(t.Context()))
}

func TestTheJournalStaysSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := journaltest.New()
		life := incarnate(t, s, func(cfg *Config) { cfg.RememberedTasks = 100 })
		for task := range 10_000 {
			require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), whole(fmt.Sprint(task))))
			time.Sleep(100 * time.Millisecond)
		}
		stats := life.state.journal.Stats()
		assert.Less(t, stats.Bytes, int64(6<<20), "60,000 events have gone through; %d segments", stats.Segments)
		life.stop(t)
	})
}

// TestADamagedSegmentCostsOnlyItself: it is set aside and counted, and the rest is restored.
func TestADamagedSegmentCostsOnlyItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := journaltest.New()
		life := incarnate(t, s, nil)
		for task := range 10 {
			require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), whole(fmt.Sprint(task))))
		}
		life.stop(t)
		first := s.Keys()[0]
		s.Change(func(key string, value []byte) []byte {
			if key == first {
				value[len(value)-1]++
			}
			return value
		})
		life = incarnate(t, s, nil)
		assert.EqualValues(t, 1, life.state.journal.Stats().SetAside)
		time.Sleep(time.Minute)
		roots := 0
		for _, span := range life.stop(t) {
			if span.Name == lifecycle.SpanTask {
				roots++
			}
		}
		assert.Equal(t, 9, roots)
	})
}

func TestAnUnknownStorageIsNamed(t *testing.T) {
	h := newTest(t, consumertest.NewNop(), func(cfg *Config) { cfg.Storage = &journaltest.ID })
	require.ErrorContains(t, h.Start(t.Context(), componenttest.NewNopHost()), `storage: "memory_storage" is not an extension that is running`)
	require.NoError(t, h.Shutdown(t.Context()))
	require.NoError(t, h.Shutdown(t.Context()))
}
