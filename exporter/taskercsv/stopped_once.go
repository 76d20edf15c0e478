package taskercsv

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/exporter"
)

// stoppedOnce makes a second Shutdown harmless: exporterhelper's retry sender panics at it, which the contract of
// component.Component forbids.
type stoppedOnce struct {
	exporter.Metrics
	once sync.Once
	err  error
}

// Shutdown stops the exporter the first time and returns the same result afterwards.
func (e *stoppedOnce) Shutdown(ctx context.Context) error {
	e.once.Do(func() { e.err = e.Metrics.Shutdown(ctx) })
	return e.err
}
