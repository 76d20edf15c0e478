// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package send

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/clienttls"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/endpoint"
)

// Compression of a request's body.
const (
	CompressionNone = "none"
	CompressionGzip = "gzip"
)

// DefaultEndpoint is where a receiver listens unless its configuration says otherwise.
const DefaultEndpoint = "http://localhost:4319/v1/events"

// Settings of a sender. [DefaultSettings] gives working ones.
type Settings struct {
	// Endpoint is the whole address, path included.
	Endpoint string
	// BatchSize is the number of items in a request. A batch is also closed when it has maxBatchBytes.
	BatchSize int
	// Concurrency is the number of requests under way at a time.
	Concurrency int
	// Compression is CompressionNone or CompressionGzip.
	Compression string
	// Header goes with every request.
	Header http.Header
	// TLS of an endpoint that is https.
	TLS clienttls.Files
	// Timeout of one request.
	Timeout time.Duration
	// MaxRetryAfter is the longest wait that a receiver is granted when it asks for one.
	MaxRetryAfter time.Duration
	// Retries of a batch after its first request.
	Retries int
	// Pace, if it is not 0, sends a recording as if it happened now, so many times as fast as it did.
	Pace float64
	// ShownRefusals is how many refusals, and batches that were not delivered, the summary lists.
	ShownRefusals int

	// Client, Now and Sleep are for tests; nil means the real ones. Sleep returns the context's error when it is cut short.
	Client *http.Client
	Now    func() time.Time
	Sleep  func(context.Context, time.Duration) error
}

// maxPace is faster than anybody looks.
const maxPace = 1_000_000

// DefaultSettings are those of the command line.
func DefaultSettings() Settings {
	return Settings{
		Endpoint: DefaultEndpoint, BatchSize: 500, Concurrency: 4, Compression: CompressionNone,
		Timeout: 30 * time.Second, MaxRetryAfter: 5 * time.Minute, Retries: 5, ShownRefusals: 10,
	}
}

// Validate names every setting that is wrong, as the flag of the command line, with a remedy.
func (s *Settings) Validate() error {
	var all []error
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	if address, err := endpoint.Parse(s.Endpoint); err != nil {
		wrong("--endpoint %q is not a URL: %w", endpoint.Public(s.Endpoint), err)
	} else if address.Scheme != "http" && address.Scheme != "https" || address.Host == "" {
		wrong("--endpoint %q is not an HTTP address: write it as %s", endpoint.Public(s.Endpoint), DefaultEndpoint)
	}
	if s.BatchSize < 1 {
		wrong("--batch-size %d: it must be at least 1", s.BatchSize)
	}
	if s.Concurrency < 1 {
		wrong("--concurrency %d: it must be at least 1", s.Concurrency)
	}
	if s.Compression != CompressionNone && s.Compression != CompressionGzip {
		wrong("--compression %q: it must be %s or %s", s.Compression, CompressionNone, CompressionGzip)
	}
	if s.Timeout <= 0 {
		wrong("--timeout %s: it must be positive, such as 30s", s.Timeout)
	}
	if s.MaxRetryAfter <= 0 {
		wrong("--max-retry-after %s: it must be positive, such as 5m", s.MaxRetryAfter)
	}
	if s.Retries < 0 {
		wrong("--retries %d: it must be 0, for none, or more", s.Retries)
	}
	if s.Pace < 0 || math.IsNaN(s.Pace) || s.Pace > maxPace {
		wrong("--pace %v: it must be 0, to send as fast as the receiver takes, or a speed up to %d, 1 being that of the recording", s.Pace, maxPace)
	}
	if s.ShownRefusals < 0 {
		wrong("--show-refused %d: it must be 0, for none, or more", s.ShownRefusals)
	}
	return errors.Join(all...)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
