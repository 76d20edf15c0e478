// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/embedded"

	"github.com/tasker-otel/otelcol-tasker/internal/journal"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/journaltest"
)

// observed keeps what callbacks observe.
type observed struct {
	embedded.Int64Observer
	values []int64
}

func (o *observed) Observe(v int64, _ ...metric.ObserveOption) { o.values = append(o.values, v) }

type observedTimes struct {
	embedded.Float64Observer
	values []float64
}

func (o *observedTimes) Observe(v float64, _ ...metric.ObserveOption) {
	o.values = append(o.values, v)
}

func TestObserved(t *testing.T) {
	var j *journal.Journal
	observer := journal.Observe(func() *journal.Journal { return j })
	read := func() (numbers []int64, times []float64) {
		o, at := &observed{}, &observedTimes{}
		for _, callback := range []metric.Int64Callback{
			observer.Commits(), observer.Failures(), observer.Failing(), observer.SetAside(), observer.Waiting(), observer.Bytes(),
		} {
			require.NoError(t, callback(t.Context(), o))
		}
		require.NoError(t, observer.LastCommit()(t.Context(), at))
		return o.values, at.values
	}
	numbers, times := read()
	assert.Empty(t, numbers, "no journal, no numbers")
	assert.Empty(t, times)

	storage := journaltest.New()
	j = open(t, storage)
	began := float64(time.Now().UnixNano()) / 1e9
	j.Append([]byte("one"))
	require.NoError(t, j.Commit(t.Context()))
	numbers, times = read()
	require.Equal(t, []int64{1, 0, 0, 0, 0}, numbers[:5])
	assert.Positive(t, numbers[5])
	require.Len(t, times, 1)
	assert.GreaterOrEqual(t, times[0], began)

	storage.Fail(errors.New("disk full"))
	j.Append([]byte("two"))
	require.Error(t, j.Commit(t.Context()))
	numbers, _ = read()
	assert.Equal(t, []int64{1, 1, 1, 0}, numbers[:4])
	assert.Positive(t, numbers[4], "two is not durable")
	storage.Fail(nil)
	require.NoError(t, j.Commit(t.Context()))
	numbers, _ = read()
	assert.Equal(t, []int64{2, 1, 0, 0, 0}, numbers[:5])
	require.NoError(t, j.Close(t.Context()))
}
