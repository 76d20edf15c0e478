// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package filestorage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	upstream "github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/extension/filestorage/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/internal/health"
	"github.com/tasker-otel/otelcol-tasker/internal/periodic"
)

// checkInterval is how often the files are checked to be still at their paths. Writes check, too.
const checkInterval = 10 * time.Second

// fileStorage is the extension. It is safe for concurrent use.
type fileStorage struct {
	inner     storage.Extension
	cfg       *upstream.Config
	log       *zap.Logger
	telemetry *metadata.TelemetryBuilder
	health    *health.Status // nil before Start

	mu     sync.Mutex
	stores map[string]*store // open ones, by name
	counts map[count]int64

	start, stop sync.Once
	cancel      context.CancelFunc
	running     sync.WaitGroup
}

// count is a counter's key: a loss has a reason, a restored file has none.
type count struct{ store, reason string }

func newExtension(set extension.Settings, cfg *upstream.Config, inner storage.Extension) (*fileStorage, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("make the telemetry of %s: %w", set.ID, err)
	}
	e := &fileStorage{
		inner: inner, cfg: cfg, log: set.Logger, telemetry: telemetry, stores: map[string]*store{}, counts: map[count]int64{},
		cancel: func() {},
	}
	err = errors.Join(
		telemetry.RegisterExtensionFileStorageFailingCallback(e.observeFailing),
		telemetry.RegisterExtensionFileStorageLostCallback(e.observeCounts(true)),
		telemetry.RegisterExtensionFileStorageRestoredCallback(e.observeCounts(false)),
	)
	if err != nil {
		telemetry.Shutdown()
		return nil, fmt.Errorf("register the telemetry of %s: %w", set.ID, err)
	}
	return e, nil
}

// Start starts to watch the files.
func (e *fileStorage) Start(ctx context.Context, host component.Host) error {
	var err error
	e.start.Do(func() {
		if err = e.inner.Start(ctx, host); err != nil {
			return
		}
		e.health = health.New(host)
		running, cancel := context.WithCancel(context.Background()) // ctx ends with the start
		e.cancel = cancel
		e.running.Go(func() { e.each(running, checkInterval, (*store).watch) })
		if e.cfg.Compaction.OnRebound {
			e.running.Go(func() { e.each(running, e.cfg.Compaction.CheckInterval, (*store).compactOnRebound) })
		}
	})
	return err
}

// Shutdown stops watching. The clients have been closed by their components.
func (e *fileStorage) Shutdown(ctx context.Context) error {
	var err error
	e.stop.Do(func() {
		e.health.Stop()
		e.cancel()
		e.running.Wait()
		err = e.inner.Shutdown(ctx)
		e.telemetry.Shutdown()
	})
	return err
}

// each calls do for each open store once per interval, until ctx ends.
func (e *fileStorage) each(ctx context.Context, interval time.Duration, do func(*store, context.Context)) {
	periodic.Run(ctx, interval, func() {
		for _, s := range e.open() {
			do(s, ctx)
		}
	})
}

// open returns the open stores.
func (e *fileStorage) open() []*store {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Collect(maps.Values(e.stores))
}

// GetClient opens the file of a component, after it has been checked. An unreadable file is set aside and reported.
func (e *fileStorage) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	file := fileName(kind, id, name)
	s := newStore(e, file, func(ctx context.Context) (storage.Client, error) { return e.inner.GetClient(ctx, kind, id, name) })
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stores[file] = s
	return s, nil
}

func (e *fileStorage) closed(s *store) {
	e.health.Set(s, nil)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stores[s.name] == s {
		delete(e.stores, s.name)
	}
}

func (e *fileStorage) count(store, reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.counts[count{store, reason}]++
}

func (e *fileStorage) observeFailing(_ context.Context, o metric.Int64Observer) error {
	for _, s := range e.open() {
		failing := int64(0)
		if s.failing.Load() {
			failing = 1
		}
		o.Observe(failing, metric.WithAttributes(attribute.String("store", s.name)))
	}
	return nil
}

// observeCounts observes the losses, or else the restored files.
func (e *fileStorage) observeCounts(losses bool) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		e.mu.Lock()
		defer e.mu.Unlock()
		for of, n := range e.counts {
			attributes := []attribute.KeyValue{attribute.String("store", of.store)}
			if of.reason != "" {
				attributes = append(attributes, attribute.String("reason", of.reason))
			}
			if losses == (of.reason != "") {
				o.Observe(n, metric.WithAttributes(attributes...))
			}
		}
		return nil
	}
}
