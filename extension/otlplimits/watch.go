// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package otlplimits

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/periodic"
)

// watchInterval is how often the open files are counted.
const watchInterval = time.Second

// watchFiles starts to count the open files of the process.
func (l *limits) watchFiles() error {
	if l.config.MaxFilesPercentage == 0 || l.files != nil {
		return nil
	}
	files, err := newFiles()
	if err != nil {
		return fmt.Errorf("watching the open files of the process for 'max_files_percentage': %w", err)
	}
	if files == nil {
		l.logger.Info("max_files_percentage has no effect: this system does not show which connections are silent")
		return nil
	}
	watching, stop := context.WithCancel(context.Background())
	l.files, l.stop = files, stop
	l.watching.Go(func() { periodic.Run(watching, watchInterval, l.closeSilent) })
	return nil
}

// closeSilent closes silent connections while too many files are open.
func (l *limits) closeSilent() {
	limit := limitOfFiles() // it can change while the process runs
	if limit == 0 {
		return
	}
	closed, err := l.files.closeSilent(limit * l.config.MaxFilesPercentage / 100)
	if err != nil {
		l.logger.Warn("The open files of the process could not be counted", zap.Error(err))
	}
	if closed > 0 {
		l.builder.ExtensionOtlpLimitsClosedConnections.Add(context.Background(), int64(closed))
		l.logger.Warn("Silent connections were closed, because the process had nearly as many files open as it may",
			zap.Int("connections", closed), zap.Int("files", limit))
	}
}

// unwatchFiles stops what watchFiles started.
func (l *limits) unwatchFiles() error {
	if l.files == nil {
		return nil
	}
	l.stop()
	l.watching.Wait()
	err := l.files.close()
	l.files = nil
	return err
}
