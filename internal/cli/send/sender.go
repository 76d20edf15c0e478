// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package send

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/eventfile"
)

// maxBatchBytes ends a batch of large items early. It is well below a receiver's default limit (20 MiB).
const maxBatchBytes = 4 << 20

// Waits between the requests of a batch without a Retry-After. They are randomized so that senders do not retry
// simultaneously.
const (
	firstWait   = 500 * time.Millisecond
	longestWait = 30 * time.Second
)

// Source returns items, each valid until the next call, and then io.EOF. Any other error is final.
type Source interface {
	Next() (eventfile.Item, error)
}

// Sender posts items. Only one Send may run at a time.
type Sender struct {
	settings Settings
	// account is that of the latest Send.
	account atomic.Pointer[account]

	// notBefore is until when the receiver has asked all workers to wait.
	mu        sync.Mutex
	notBefore time.Time
}

// New makes a sender. The settings must be valid.
func New(settings Settings) (*Sender, error) {
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	if settings.Client == nil {
		config, err := settings.TLS.Load()
		if err != nil {
			return nil, err
		}
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.TLSClientConfig = config
		transport.MaxIdleConnsPerHost = settings.Concurrency
		settings.Client = &http.Client{Transport: transport}
	}
	client := *settings.Client
	// A redirected POST may become a GET, whose 200 would look like success.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	settings.Client = &client
	if settings.Now == nil {
		settings.Now = time.Now
	}
	if settings.Sleep == nil {
		settings.Sleep = sleep
	}
	s := &Sender{settings: settings}
	s.account.Store(&account{})
	return s, nil
}

// Send posts all items of the source and returns a summary. When the context ends, pending requests finish, so that the
// summary is exact, and no further ones are made. The source may then still be blocked in a read, so it may be closed only
// if it was read to its end.
//
// It stops early if a batch could not be delivered for a reason that also affects the following ones: the endpoint cannot
// be reached, rejects the credentials, or is not a receiver.
func (s *Sender) Send(ctx context.Context, source Source) Summary {
	started := s.settings.Now()
	account := &account{shown: s.settings.ShownRefusals}
	s.account.Store(account)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	batches := make(chan *eventfile.Batch)
	readEnded := make(chan error, 1)
	go func() {
		defer close(batches)
		readEnded <- s.read(ctx, account, source, batches)
	}()

	var workers sync.WaitGroup
	for range s.settings.Concurrency {
		workers.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case batch, ok := <-batches:
					if !ok {
						return
					}
					if err := s.deliver(ctx, account, batch); err != nil {
						cancel(err)
					}
				}
			}
		})
	}
	workers.Wait()
	s.settings.Client.CloseIdleConnections()

	var readErr error
	select {
	case readErr = <-readEnded:
	default: // only after cancellation: the source is blocked
	}
	var gaveUp *stopError
	errors.As(context.Cause(ctx), &gaveUp)
	return account.close(s.settings.Now().Sub(started), readErr, gaveUp, ctx.Err() != nil && gaveUp == nil)
}

// Progress returns the account so far. It may be called while Send runs.
func (s *Sender) Progress() Progress { return s.account.Load().progress() }

// read batches the source's items until the source or the context ends.
func (s *Sender) read(ctx context.Context, account *account, source Source, batches chan<- *eventfile.Batch) error {
	batch := &eventfile.Batch{}
	handOver := func() bool {
		select {
		case <-ctx.Done():
			return false
		case batches <- batch:
			batch = &eventfile.Batch{Body: make([]byte, 0, len(batch.Body))}
			return true
		}
	}
	pace := newPacer(&s.settings)
	for ctx.Err() == nil {
		item, err := source.Next()
		if err != nil {
			if batch.Len() > 0 && !handOver() {
				return nil
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if item.Fault != nil {
			account.readFaulty(Refusal{Where: item.String(), Reason: item.Fault.Reason, Remedy: item.Fault.Remedy})
			continue
		}
		account.read()
		if pace != nil {
			moved, wait := pace.item(item.File, item.JSON)
			item.JSON = moved
			if wait > shortestWait && (batch.Len() > 0 && !handOver() || s.settings.Sleep(ctx, wait) != nil) {
				return nil
			}
		}
		batch.Add(item)
		if (batch.Len() >= s.settings.BatchSize || len(batch.Body) >= maxBatchBytes) && !handOver() {
			return nil
		}
	}
	return nil
}

// deliver posts a batch until it is settled. Its error is a *stopError, after which sending stops.
func (s *Sender) deliver(ctx context.Context, account *account, batch *eventfile.Batch) error {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval, wait.Multiplier = firstWait, longestWait, 2
	wait.Reset()
	for attempt := 0; ; attempt++ {
		if err := s.waitForPause(ctx); err != nil {
			account.undelivered(batch, "sending stopped before it was sent")
			return nil
		}
		outcome := s.post(ctx, batch)
		switch {
		case outcome.settled:
			account.settle(batch, outcome.answer)
			return nil
		case outcome.tooLarge && batch.Len() > 1:
			return s.deliverHalves(ctx, account, batch)
		case outcome.retryable && attempt < s.settings.Retries:
			account.retry(outcome.problem)
			if outcome.retryAfter > 0 {
				s.pause(outcome.retryAfter)
				continue
			}
			if err := s.settings.Sleep(ctx, wait.NextBackOff()); err != nil {
				account.undelivered(batch, "sending stopped while it waited for a retry: "+outcome.problem)
				return nil
			}
		default:
			problem := outcome.problem
			if attempt > 0 {
				problem = fmt.Sprintf("%s, after %d attempts", problem, attempt+1)
			}
			account.undelivered(batch, problem)
			if outcome.retryable || outcome.hopeless {
				return &stopError{problem, outcome.remedy}
			}
			return nil
		}
	}
}

// deliverHalves delivers a batch in two after the receiver rejected it as too large.
func (s *Sender) deliverHalves(ctx context.Context, account *account, batch *eventfile.Batch) error {
	first, second := halves(batch)
	if err := s.deliver(ctx, account, first); err != nil {
		account.undelivered(second, "not sent")
		return err
	}
	return s.deliver(ctx, account, second)
}

// halves returns two batches that share the batch's memory.
func halves(batch *eventfile.Batch) (first, second *eventfile.Batch) {
	middle := batch.Len() / 2
	end := 0
	for range middle {
		for batch.Body[end] != '\n' {
			end++
		}
		end++
	}
	first = &eventfile.Batch{Body: batch.Body[:end:end], Origins: batch.Origins[:middle:middle]}
	return first, &eventfile.Batch{Body: batch.Body[end:], Origins: batch.Origins[middle:]}
}

// pause makes all workers wait before the next request.
func (s *Sender) pause(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if until := s.settings.Now().Add(d); until.After(s.notBefore) {
		s.notBefore = until
	}
}

// waitForPause waits until the next request may be made.
func (s *Sender) waitForPause(ctx context.Context) error {
	for {
		s.mu.Lock()
		wait := s.notBefore.Sub(s.settings.Now())
		s.mu.Unlock()
		if wait <= 0 {
			return ctx.Err()
		}
		if err := s.settings.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// stopError is why the rest was not sent.
type stopError struct{ problem, remedy string }

func (g *stopError) Error() string { return g.problem }
