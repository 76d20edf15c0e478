package taskercsv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/internal/atomicfile"
	"github.com/tasker-otel/otelcol-tasker/internal/metrictable"
)

// minTick bounds the work of looking for series to remove.
const minTick = 250 * time.Millisecond

var errStopped = errors.New("the exporter is stopped")

// csvExporter merges metrics into a table and writes the table as a snapshot. One lock guards everything; it is held
// while a snapshot is written, so that a batch is acknowledged only after the write that contains it.
type csvExporter struct {
	cfg       *Config
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	file      atomicfile.File
	host      component.Host

	mu      sync.Mutex
	table   *metrictable.Table
	reader  reader
	written time.Time // when the last snapshot was written
	tried   time.Time // when writing was last tried
	dirty   bool      // the table has something that the file has not
	failing bool      // the last write failed
	warned  map[string]bool
	stopped bool

	stop chan struct{}
	done sync.WaitGroup
}

func newCSVExporter(cfg *Config, set component.TelemetrySettings, telemetry *metadata.TelemetryBuilder) *csvExporter {
	return &csvExporter{
		cfg:       cfg,
		logger:    set.Logger,
		telemetry: telemetry,
		file:      atomicfile.File{Path: cfg.Path},
		table:     metrictable.New(cfg.layout(), metrictable.Limits{Series: cfg.MaxSeries, Columns: cfg.MaxColumns}),
		reader:    reader{resourceColumns: cfg.ResourceAttributes},
		warned:    map[string]bool{},
		stop:      make(chan struct{}),
	}
}

func (e *csvExporter) start(_ context.Context, host component.Host) error {
	if err := e.file.Prepare(); err != nil {
		return err
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
	e.telemetry.Shutdown()
	return err
}

// push takes a batch. It keeps nothing of md. If it fails, the table is as it was before and the error is retryable:
// a retry does not add deltas twice.
func (e *csvExporter) push(ctx context.Context, md pmetric.Metrics) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped {
		return errStopped
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("metrics for %s not taken: %w", e.cfg.Path, err) // another write held the lock too long
	}
	now := time.Now()
	e.table.Begin()
	dropped := e.reader.merge(md, e.table, now)
	wasDirty := e.dirty
	e.dirty = true
	if now.Sub(e.written) >= e.cfg.MinWriteInterval {
		if err := e.write(ctx, now); err != nil {
			e.table.Undo()
			e.dirty = wasDirty
			return err
		}
	}
	e.countDropped(ctx, dropped)
	e.telemetry.ExporterTaskerCsvSeries.Record(ctx, int64(e.table.Series()))
	e.telemetry.ExporterTaskerCsvColumns.Record(ctx, int64(e.table.Columns()))
	return nil
}

// tick writes what push left for later and removes old series when no metrics come any more.
func (e *csvExporter) tick() {
	// A quarter of the interval: what push left for later waits little longer than the interval itself.
	ticker := time.NewTicker(max(e.cfg.MinWriteInterval/4, minTick))
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
	e.expire(ctx, now)
	if e.dirty && now.Sub(e.tried) >= e.cfg.MinWriteInterval {
		// The error is logged and reported by write. The table stays dirty, so that a later tick tries again.
		_ = e.write(ctx, now)
	}
}

// write replaces the file. Its errors carry the path and are retryable: a full disk or a missing directory can be mended
// while the collector runs.
func (e *csvExporter) write(ctx context.Context, now time.Time) error {
	e.tried = now
	began := time.Now()
	rows := 0
	err := e.file.Replace(func(w io.Writer) (err error) {
		rows, err = e.table.WriteCSV(w)
		return err
	})
	e.report(err)
	if err != nil {
		e.telemetry.ExporterTaskerCsvFailedSnapshots.Add(ctx, 1)
		return err
	}
	e.written = now
	e.dirty = false
	e.telemetry.ExporterTaskerCsvSnapshots.Add(ctx, 1)
	e.telemetry.ExporterTaskerCsvSnapshotDuration.Record(ctx, time.Since(began).Seconds())
	e.telemetry.ExporterTaskerCsvRows.Record(ctx, int64(rows))
	return nil
}

// report tells log and health check when writing begins to fail and when it works again, not at each attempt.
func (e *csvExporter) report(err error) {
	failing := err != nil
	if failing == e.failing {
		return
	}
	e.failing = failing
	event := componentstatus.NewEvent(componentstatus.StatusOK)
	if failing {
		e.logger.Error("Snapshot can't be written; the file keeps its last state.", zap.Error(err))
		event = componentstatus.NewRecoverableErrorEvent(err)
	} else {
		e.logger.Info("Snapshots are written again.", zap.String("path", e.cfg.Path))
	}
	if e.host != nil {
		componentstatus.ReportStatus(e.host, event)
	}
}

func (e *csvExporter) expire(ctx context.Context, now time.Time) {
	if e.cfg.SeriesExpiration == 0 {
		return
	}
	if removed := e.table.Expire(now, e.cfg.SeriesExpiration); removed > 0 {
		e.dirty = true
		e.telemetry.ExporterTaskerCsvExpiredSeries.Add(ctx, int64(removed))
		e.telemetry.ExporterTaskerCsvSeries.Record(ctx, int64(e.table.Series()))
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
				zap.String("reason", reason), zap.Int64("points", points), zap.String("path", e.cfg.Path))
		}
	}
}
