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
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
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

// DefaultSettings returns those of the command line.
func DefaultSettings() Settings {
	return Settings{
		Endpoint: DefaultEndpoint, BatchSize: 500, Concurrency: 4, Compression: CompressionNone,
		Timeout: 30 * time.Second, MaxRetryAfter: 5 * time.Minute, Retries: 5, ShownRefusals: 10,
	}
}

// Validate names every setting that is wrong, as the flag of the command line, with a remedy.
func (s *Settings) Validate() error {
	all := []error{
		configerr.AtLeast("--batch-size", s.BatchSize, 1),
		configerr.AtLeast("--concurrency", s.Concurrency, 1),
		configerr.OneOf("--compression", s.Compression, CompressionNone, CompressionGzip),
		configerr.AboveZero("--timeout", s.Timeout, "30s"),
		configerr.AboveZero("--max-retry-after", s.MaxRetryAfter, "5m"),
		configerr.OrZero("--retries", s.Retries, "for none"),
		configerr.OrZero("--show-refused", s.ShownRefusals, "for none"),
	}
	address, err := endpoint.Parse(s.Endpoint)
	if err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Host == "" {
		all = append(all, configerr.New("--endpoint", endpoint.Public(s.Endpoint), "is not an HTTP address", "use one such as "+DefaultEndpoint))
	}
	if s.Pace < 0 || math.IsNaN(s.Pace) || s.Pace > maxPace {
		all = append(all, configerr.New("--pace", s.Pace, "is out of range",
			fmt.Sprintf("use 0, to send as fast as the receiver accepts, or a speed up to %d, 1 being that of the recording", maxPace)))
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
