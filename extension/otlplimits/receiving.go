// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package otlplimits

import (
	"context"
	"sync"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/admission"
)

// evictableAfter is how long a request may be in transit before it can be evicted for another one.
const evictableAfter = time.Second

// receiving bounds the gRPC requests in transit, over all connections: until it is decoded, each may take as much memory as the
// largest request.
type receiving struct {
	limit int

	mu       sync.Mutex
	requests map[*begun]struct{}
}

// begun is a request in transit.
type begun struct {
	at     time.Time
	cancel context.CancelCauseFunc
}

type begunKey struct{}

func newReceiving(limit int) *receiving {
	return &receiving{limit: limit, requests: map[*begun]struct{}{}}
}

// begin takes a place for a request whose stream ends with ctx, and returns the context that ends it. If all places are taken, the
// oldest request in transit is evicted if it has exceeded evictableAfter; else ok is false.
func (r *receiving) begin(ctx context.Context) (of context.Context, evicted, ok bool) {
	now := time.Now()
	b := &begun{at: now}
	of, b.cancel = context.WithCancelCause(context.WithValue(ctx, begunKey{}, b))
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.requests) >= r.limit {
		oldest := r.oldest()
		if now.Sub(oldest.at) < evictableAfter {
			b.cancel(nil)
			return ctx, false, false
		}
		delete(r.requests, oldest)
		oldest.cancel(admission.ErrSlow)
		evicted = true
	}
	r.requests[b] = struct{}{}
	context.AfterFunc(of, func() { r.end(b) })
	return of, evicted, true
}

// oldest returns the request longest in transit. It requires that there is one.
func (r *receiving) oldest() *begun {
	var oldest *begun
	for b := range r.requests {
		if oldest == nil || b.at.Before(oldest.at) {
			oldest = b
		}
	}
	return oldest
}

// arrived releases the place of a fully received request.
func (r *receiving) arrived(ctx context.Context) {
	if b, ok := ctx.Value(begunKey{}).(*begun); ok {
		r.end(b)
	}
}

func (r *receiving) end(b *begun) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.requests, b)
}
