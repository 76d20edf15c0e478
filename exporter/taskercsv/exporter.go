// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv/internal/rowfile"
	"github.com/tasker-otel/otelcol-tasker/internal/fsfile"
	"github.com/tasker-otel/otelcol-tasker/internal/periodic"
)

const (
	// minTick bounds the work of removing expired series.
	minTick = 250 * time.Millisecond
	// lockWait is how long startup waits for a previous collector to release the file.
	lockWait = 5 * time.Second
)

var errStopped = errors.New("the exporter is stopped")

// rows holds the rows of a signal.
type rows interface {
	// begin starts a change that undo can revert.
	begin()
	undo()
	// adopt takes over the columns of an existing file.
	adopt(columns []string)
	// fresh returns the rows added since settle, all those of a snapshot.
	fresh() rowfile.Rows
	all() rowfile.Rows
	settle()
	// expire removes what has expired and returns its number.
	expire(now time.Time) int
	// report records their number in the telemetry.
	report(ctx context.Context, telemetry *metadata.TelemetryBuilder)
}

// csvExporter writes the rows of a signal to a file. Its mutex guards everything and is held during a write, so that a
// batch is acknowledged only after it is written.
type csvExporter struct {
	cfg       *Config
	signal    signal
	path      string
	appends   bool
	interval  time.Duration
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	ofSignal  metric.MeasurementOption
	file      rowfile.File
	host      component.Host

	mu      sync.Mutex
	lock    *fsfile.Lock
	rows    rows
	written time.Time // last successful write
	tried   time.Time // last attempt to write
	dirty   bool      // there is unwritten data
	failing bool      // the last write failed
	warned  map[string]bool
	stopped bool

	stop func()
	done sync.WaitGroup
}

func newCSVExporter(set component.TelemetrySettings, cfg *Config, of signal, rows rows) (*csvExporter, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	e := &csvExporter{
		cfg:       cfg,
		signal:    of,
		path:      cfg.path(of),
		appends:   cfg.appends(of),
		interval:  cfg.MinWriteInterval,
		logger:    set.Logger,
		telemetry: telemetry,
		ofSignal:  metric.WithAttributeSet(attribute.NewSet(attribute.String("signal", string(of)))),
		file: cfg.file(of, func(err error) {
			set.Logger.Warn("A rotated file could not be compressed or removed. The next rotation retries.", zap.Error(err))
		}),
		rows:   rows,
		warned: map[string]bool{},
		stop:   func() {},
	}
	if e.appends && of != signalMetrics {
		e.interval = 0 // a span is sent once: acknowledge it when it is on disk
	}
	return e, nil
}

// start locks the file against other collectors and pipelines configured with the same path.
func (e *csvExporter) start(ctx context.Context, host component.Host) (err error) {
	if err := (fsfile.Atomic{Path: e.path}).PrepareDirectory(); err != nil {
		return fmt.Errorf("'path' %s: %w", e.path, err)
	}
	e.lock, err = fsfile.TakeLock(ctx, e.path+".lock", fmt.Sprintf("process %d, %s", os.Getpid(), e.signal), lockWait)
	if errors.Is(err, fsfile.ErrLocked) {
		err = fmt.Errorf("%w: use a separate file for each exporter and signal, such as ./data/tasker-{signal}.csv", err)
	}
	if err != nil {
		return fmt.Errorf("'path' %s: %w", e.path, err)
	}
	// Only after locking the file: what looks incomplete or left over may be in use by another collector.
	cut, err := e.file.Open()
	if err != nil {
		return fmt.Errorf("'path' %s: %w", e.path, err) // shutdown releases the lock
	}
	if cut > 0 {
		e.telemetry.ExporterTaskerCsvCutBytes.Add(ctx, cut, e.ofSignal)
		e.logger.Warn("An incomplete last row was removed after a crash. It was not acknowledged, so its sender retries.",
			zap.String("path", e.path), zap.Int64("bytes", cut))
	}
	if columns := e.file.Columns(); columns != nil {
		e.rows.adopt(columns)
	}
	e.host = host
	running, stop := context.WithCancel(context.Background()) // ctx ends with the start
	e.stop = stop
	// A quarter of the interval, so that postponed data waits little longer than the interval.
	e.done.Go(func() {
		periodic.Run(running, max(e.interval/4, minTick), func() { e.catchUp(context.Background(), time.Now()) })
	})
	return nil
}

// shutdown writes pending data. It may be called before start.
func (e *csvExporter) shutdown(context.Context) error {
	e.mu.Lock()
	e.stopped = true
	e.mu.Unlock()
	e.stop()
	e.done.Wait()

	e.mu.Lock()
	defer e.mu.Unlock()
	var err error
	if e.dirty {
		err = e.write(context.Background(), time.Now())
	}
	err = errors.Join(err, e.file.Close())
	if e.lock != nil {
		err = errors.Join(err, e.lock.Release())
	}
	e.telemetry.Shutdown()
	return err
}

// take adds a batch. If it fails the rows are unchanged and the error is retryable; a retry adds nothing twice.
func (e *csvExporter) take(ctx context.Context, merge func(now time.Time) (dropped map[string]int64)) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped {
		return errStopped
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s for %s not accepted: %w", e.signal, e.path, err) // another write held the lock too long
	}
	now := time.Now()
	e.rows.begin()
	dropped := merge(now)
	wasDirty := e.dirty
	e.dirty = true
	if now.Sub(e.written) >= e.interval {
		if err := e.write(ctx, now); err != nil {
			e.rows.undo()
			e.dirty = wasDirty
			return err
		}
	}
	e.countDropped(ctx, dropped)
	e.rows.report(ctx, e.telemetry)
	return nil
}

// catchUp writes what take has postponed, and removes expired series when no data arrives.
func (e *csvExporter) catchUp(ctx context.Context, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if removed := e.rows.expire(now); removed > 0 {
		e.dirty = true
		e.telemetry.ExporterTaskerCsvExpiredSeries.Add(ctx, int64(removed))
		e.rows.report(ctx, e.telemetry)
	}
	if e.dirty && now.Sub(e.tried) >= e.interval {
		// write logs and reports the error. The rows remain dirty, so that a later tick retries.
		_ = e.write(ctx, now)
	}
}

// write updates the file. Its errors include the path and are retryable: a full disk or a missing directory can be repaired
// while the collector runs.
func (e *csvExporter) write(ctx context.Context, now time.Time) error {
	e.tried = now
	began := time.Now()
	content := e.rows.all
	if e.appends {
		content = e.rows.fresh
	}
	written, err := e.file.Write(content())
	e.report(err)
	if err != nil {
		e.telemetry.ExporterTaskerCsvFailedSnapshots.Add(ctx, 1, e.ofSignal)
		return err
	}
	e.rows.settle()
	e.written = now
	e.dirty = false
	if written.Rotated {
		e.telemetry.ExporterTaskerCsvRotations.Add(ctx, 1, e.ofSignal)
	}
	e.telemetry.ExporterTaskerCsvSnapshots.Add(ctx, 1, e.ofSignal)
	e.telemetry.ExporterTaskerCsvLastWrite.Record(ctx, float64(now.UnixNano())/1e9, e.ofSignal)
	e.telemetry.ExporterTaskerCsvSnapshotDuration.Record(ctx, time.Since(began).Seconds(), e.ofSignal)
	e.telemetry.ExporterTaskerCsvRows.Record(ctx, int64(written.Rows), e.ofSignal)
	return nil
}

// report logs and reports to health when writing starts to fail and when it recovers, not at each attempt.
func (e *csvExporter) report(err error) {
	failing := err != nil
	if failing == e.failing {
		return
	}
	e.failing = failing
	event := componentstatus.NewEvent(componentstatus.StatusOK)
	if failing {
		e.logger.Error("The file cannot be written and remains unchanged.", zap.Error(err))
		event = componentstatus.NewRecoverableErrorEvent(err)
	} else {
		e.logger.Info("The file can be written again.", zap.String("path", e.path))
	}
	if e.host != nil {
		componentstatus.ReportStatus(e.host, event)
	}
}

// countDropped counts dropped points by reason and logs the first one of each reason.
func (e *csvExporter) countDropped(ctx context.Context, dropped map[string]int64) {
	for reason, points := range dropped {
		e.telemetry.ExporterTaskerCsvDroppedPoints.Add(ctx, points,
			metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", reason))))
		if !e.warned[reason] {
			e.warned[reason] = true
			e.logger.Warn("Data points were dropped. Further ones with this reason are only counted.",
				zap.String("reason", reason), zap.Int64("points", points), zap.String("path", e.path))
		}
	}
}
