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

// DefaultEndpoint is the default address of a receiver.
const DefaultEndpoint = "http://localhost:4319/v1/events"

// Settings of a sender. Start from [DefaultSettings].
type Settings struct {
	// Endpoint is the complete URL, including the path.
	Endpoint string
	// BatchSize is the number of items per request. A batch also ends at maxBatchBytes.
	BatchSize int
	// Concurrency is the number of concurrent requests.
	Concurrency int
	// Compression is CompressionNone or CompressionGzip.
	Compression string
	// Header is added to every request.
	Header http.Header
	// TLS is for https endpoints.
	TLS clienttls.Files
	// Timeout of one request.
	Timeout time.Duration
	// MaxRetryAfter is the longest wait for a receiver's Retry-After.
	MaxRetryAfter time.Duration
	// Retries after the first request of a batch.
	Retries int
	// Pace, if not 0, replays a recording with current times, that many times as fast as it happened.
	Pace float64
	// ShownRefusals is the maximum number of refusals, and of undelivered batches, in the summary.
	ShownRefusals int

	// Client, Now and Sleep are for tests; nil means the real ones. Sleep returns the context's error if it is interrupted.
	Client *http.Client
	Now    func() time.Time
	Sleep  func(context.Context, time.Duration) error
}

// maxPace bounds Pace.
const maxPace = 1_000_000

// DefaultSettings returns the defaults of the command line.
func DefaultSettings() Settings {
	return Settings{
		Endpoint: DefaultEndpoint, BatchSize: 500, Concurrency: 4, Compression: CompressionNone,
		Timeout: 30 * time.Second, MaxRetryAfter: 5 * time.Minute, Retries: 5, ShownRefusals: 10,
	}
}

// Validate reports every invalid setting by its flag, with a remedy.
func (s *Settings) Validate() error {
	_, err := endpoint.ParseHTTP("--endpoint", s.Endpoint, DefaultEndpoint)
	all := []error{
		err,
		configerr.AtLeast("--batch-size", s.BatchSize, 1),
		configerr.AtLeast("--concurrency", s.Concurrency, 1),
		configerr.OneOf("--compression", s.Compression, CompressionNone, CompressionGzip),
		configerr.AboveZero("--timeout", s.Timeout, "30s"),
		configerr.AboveZero("--max-retry-after", s.MaxRetryAfter, "5m"),
		configerr.OrZero("--retries", s.Retries, "for none"),
		configerr.OrZero("--show-refused", s.ShownRefusals, "for none"),
	}
	if s.Pace < 0 || math.IsNaN(s.Pace) || s.Pace > maxPace {
		all = append(all, configerr.New("--pace", s.Pace, "is out of range",
			fmt.Sprintf("use 0, to send as fast as the receiver accepts, or a speed up to %d, 1 being that of the recording", maxPace)))
	}
	return errors.Join(all...)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
