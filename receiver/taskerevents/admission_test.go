package taskerevents

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents/internal/metadatatest"
)

// Requests beyond the bytes in flight are asked to come back; what is at work goes on, and one that is alone has always room.
func TestBytesInFlight(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	next := consumerOf(t, func(context.Context, plog.Logs) error {
		entered <- struct{}{}
		<-leave
		return nil
	})
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	r := startWith(t, metadatatest.NewSettings(tel), componenttest.NewNopHost(), next, func(c *Config) {
		c.MaxInFlightBytes = 2 * int64(len(good))
	})
	answers := make(chan int)
	send := func(body string) {
		response, err := http.Post(r.url(defaultPath), "application/json", strings.NewReader(body))
		assert.NoError(t, err)
		assert.NoError(t, response.Body.Close())
		answers <- response.StatusCode
	}
	go send(good)
	<-entered
	go send(good)
	<-entered
	metadatatest.AssertEqualReceiverTaskerEventsInFlightBytes(t, tel,
		[]metricdata.DataPoint[int64]{{Value: 2 * int64(len(good))}}, metricdatatest.IgnoreTimestamp())

	response := post(t, r, good)
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode, "exactly the limit is at work")
	assert.Equal(t, "1", response.Header.Get("Retry-After"))
	assert.Contains(t, decodeAnswer(t, response).Error, "max_in_flight_bytes")

	leave <- struct{}{}
	assert.Equal(t, http.StatusOK, <-answers)
	response = post(t, r, " "+good)
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode, "one byte more than the limit would be at work")
	require.NoError(t, response.Body.Close())
	leave <- struct{}{}
	assert.Equal(t, http.StatusOK, <-answers)

	go send(strings.Repeat(good, 10))
	<-entered
	leave <- struct{}{}
	assert.Equal(t, http.StatusOK, <-answers, "alone")
	assert.Zero(t, r.admission.bytes.Load())
}

// Whatever is read and given up, in any order: nothing is left at work, and one body alone can be read.
func TestAdmission(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := &admission{limit: rapid.Int64Range(1, 50).Draw(t, "limit")}
		var open []*admitted
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch {
			case len(open) == 0 || rapid.Bool().Draw(t, "another"):
				size := rapid.IntRange(0, 100).Draw(t, "size")
				announced := rapid.SampledFrom([]int{-1, size / 2, size}).Draw(t, "announced")
				if share := a.admit(strings.NewReader(strings.Repeat("x", size)), int64(announced)); share != nil {
					open = append(open, share)
				} else if len(open) == 0 {
					t.Fatal("refused, but nothing is at work")
				}
			default:
				i := rapid.IntRange(0, len(open)-1).Draw(t, "which")
				_, err := open[i].Read(make([]byte, rapid.IntRange(1, 30).Draw(t, "bytes")))
				if err != nil {
					if !errors.Is(err, io.EOF) && len(open) == 1 {
						t.Fatalf("%v, but it is alone", err)
					}
					open[i].done()
					open = append(open[:i], open[i+1:]...)
				}
			}
			sum, most := int64(0), int64(0)
			for _, share := range open {
				sum += share.own
				most = max(most, share.own)
			}
			if a.bytes.Load() != sum || sum > a.limit && sum > most {
				t.Fatalf("%d at work, %d counted, limit %d", sum, a.bytes.Load(), a.limit)
			}
		}
	})
}
