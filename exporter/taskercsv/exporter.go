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
	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/atomicfile"
	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/filelock"
)

const (
	// minTick bounds the work of looking for series to remove.
	minTick = 250 * time.Millisecond
	// lockWait is how long a start waits for the collector before it to let go of the file.
	lockWait = 5 * time.Second
)

var errStopped = errors.New("the exporter is stopped")

// rows are what a signal keeps for its file.
type rows interface {
	// begin starts a change that undo can take back.
	begin()
	undo()
	// adopt takes over the columns of the file that is there.
	adopt(columns []string)
	// fresh are the rows that have come since settle; all are those of a snapshot.
	fresh() rowfile.Rows
	all() rowfile.Rows
	settle()
	// expire removes what is too old and returns how much that is.
	expire(now time.Time) int
	// report tells how many there are.
	report(ctx context.Context, telemetry *metadata.TelemetryBuilder)
}

// csvExporter keeps the rows of one signal in one file. One lock guards everything; it is held while the file is written,
// so that a batch is acknowledged only after the write that contains it.
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
	lock    *filelock.Lock
	rows    rows
	written time.Time // when the file was last written
	tried   time.Time // when writing was last tried
	dirty   bool      // there is something that the file has not
	failing bool      // the last write failed
	warned  map[string]bool
	stopped bool

	stop chan struct{}
	done sync.WaitGroup
}

func newCSVExporter(cfg *Config, of signal, rows rows, set component.TelemetrySettings, telemetry *metadata.TelemetryBuilder) *csvExporter {
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
			set.Logger.Warn("An old file could not be packed or removed; it is retried at the next rotation.", zap.Error(err))
		}),
		rows:   rows,
		warned: map[string]bool{},
		stop:   make(chan struct{}),
	}
	if e.appends && of != signalMetrics {
		e.interval = 0 // a span comes once: it is acknowledged when it is on disk
	}
	return e
}

// start locks the file against other collectors, and other pipelines of this one, that are configured to write it.
func (e *csvExporter) start(ctx context.Context, host component.Host) (err error) {
	if err := (atomicfile.File{Path: e.path}).PrepareDirectory(); err != nil {
		return fmt.Errorf("'path' %s: %w", e.path, err)
	}
	e.lock, err = filelock.Take(ctx, e.path+".lock", fmt.Sprintf("process %d, %s", os.Getpid(), e.signal), lockWait)
	if errors.Is(err, filelock.ErrHeld) {
		err = fmt.Errorf("%w: give each exporter and each signal a file of its own, such as ./data/tasker-{signal}.csv", err)
	}
	if err != nil {
		return fmt.Errorf("'path' %s: %w", e.path, err)
	}
	// Not before the file is locked: what looks torn, or left over, may be what another collector is writing.
	cut, err := e.file.Open()
	if err != nil {
		return fmt.Errorf("'path' %s: %w", e.path, err) // shutdown lets go of the lock
	}
	if cut > 0 {
		e.telemetry.ExporterTaskerCsvCutBytes.Add(ctx, cut, e.ofSignal)
		e.logger.Warn("The last row was torn by a crash and has been cut off; its sender got no answer and sends it again.",
			zap.String("path", e.path), zap.Int64("bytes", cut))
	}
	if columns := e.file.Columns(); columns != nil {
		e.rows.adopt(columns)
	}
	e.host = host
	e.done.Go(e.tick)
	return nil
}

// shutdown writes what is not yet written. It is safe before start.
func (e *csvExporter) shutdown(context.Context) error {
	e.mu.Lock()
	alreadyStopped := e.stopped
	e.stopped = true
	e.mu.Unlock()
	if alreadyStopped {
		return nil
	}
	close(e.stop)
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

// take takes a batch. If it fails, the rows are as they were before and the error is retryable: a retry does not add
// anything twice.
func (e *csvExporter) take(ctx context.Context, merge func(now time.Time) (dropped map[string]int64)) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped {
		return errStopped
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s for %s not taken: %w", e.signal, e.path, err) // another write held the lock too long
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

// tick writes what take left for later and removes old series when none come any more.
func (e *csvExporter) tick() {
	// A quarter of the interval: what take left for later waits little longer than the interval itself.
	ticker := time.NewTicker(max(e.interval/4, minTick))
	defer ticker.Stop()
	for {
		select {
		case <-e.stop:
			return
		case now := <-ticker.C:
			e.catchUp(context.Background(), now)
		}
	}
}

func (e *csvExporter) catchUp(ctx context.Context, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if removed := e.rows.expire(now); removed > 0 {
		e.dirty = true
		e.telemetry.ExporterTaskerCsvExpiredSeries.Add(ctx, int64(removed))
		e.rows.report(ctx, e.telemetry)
	}
	if e.dirty && now.Sub(e.tried) >= e.interval {
		// The error is logged and reported by write. The rows stay dirty, so that a later tick tries again.
		_ = e.write(ctx, now)
	}
}

// write brings the file up to date. Its errors carry the path and are retryable: a full disk or a missing directory can
// be repaired while the collector runs.
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

// report reports to log and health check when writing begins to fail and when it works again, not at each attempt.
func (e *csvExporter) report(err error) {
	failing := err != nil
	if failing == e.failing {
		return
	}
	e.failing = failing
	event := componentstatus.NewEvent(componentstatus.StatusOK)
	if failing {
		e.logger.Error("The file can't be written; it keeps its last state.", zap.Error(err))
		event = componentstatus.NewRecoverableErrorEvent(err)
	} else {
		e.logger.Info("The file is written again.", zap.String("path", e.path))
	}
	if e.host != nil {
		componentstatus.ReportStatus(e.host, event)
	}
}

// countDropped counts dropped points by reason and warns the first time that a reason occurs.
func (e *csvExporter) countDropped(ctx context.Context, dropped map[string]int64) {
	for reason, points := range dropped {
		e.telemetry.ExporterTaskerCsvDroppedPoints.Add(ctx, points,
			metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", reason))))
		if !e.warned[reason] {
			e.warned[reason] = true
			e.logger.Warn("Data points are left out of the table; further ones with this reason are only counted.",
				zap.String("reason", reason), zap.Int64("points", points), zap.String("path", e.path))
		}
	}
}
