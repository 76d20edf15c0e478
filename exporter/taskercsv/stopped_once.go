// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
)

// startStop starts and stops an exporter.
type startStop struct {
	component.StartFunc
	component.ShutdownFunc
}

// stoppedOnce makes a second Shutdown a no-op: exporterhelper's retry sender panics then, which violates the contract of
// component.Component.
func stoppedOnce(inner component.Component) startStop {
	var (
		once sync.Once
		err  error
	)
	return startStop{inner.Start, func(ctx context.Context) error {
		once.Do(func() { err = inner.Shutdown(ctx) })
		return err
	}}
}
