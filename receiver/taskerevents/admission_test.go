package taskerevents

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
	assert.Zero(t, r.admission.inFlight())
}

// Senders that announce large bodies and stay silent, or stall, take no room from others.
func TestSilentSendersShutNobodyOut(t *testing.T) {
	const limit = 64 << 10
	for name, sent := range map[string]int{"silent": 0, "stalled": limit/4 - 1} {
		t.Run(name, func(t *testing.T) {
			next := consumerOf(t, func(context.Context, plog.Logs) error { return nil })
			r := start(t, next, func(c *Config) { c.MaxInFlightBytes = limit })
			stalled := make([]net.Conn, 4)
			for i := range stalled {
				connection, err := net.Dial("tcp", r.listener.Addr().String())
				require.NoError(t, err)
				defer connection.Close() //nolint:errcheck // a test
				_, err = fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s",
					defaultPath, limit/4, strings.Repeat(" ", sent))
				require.NoError(t, err)
				stalled[i] = connection
			}
			require.Eventually(t, func() bool { return r.admission.readers() == len(stalled) && r.admission.inFlight() == int64(4*sent) },
				time.Minute, time.Millisecond)

			// What has only just stalled may still go on: the sender comes back as it is asked to.
			require.Eventually(t, func() bool {
				response := post(t, r, good)
				defer response.Body.Close() //nolint:errcheck // a test
				return response.StatusCode == http.StatusOK
			}, time.Minute, 10*time.Millisecond)
			if sent == 0 {
				return
			}
			answered := make(chan *http.Response)
			for _, connection := range stalled {
				go func() {
					if response, err := http.ReadResponse(bufio.NewReader(connection), nil); err == nil {
						answered <- response
					}
				}()
			}
			response := <-answered
			assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode, "one was given up")
			assert.Contains(t, decodeAnswer(t, response).Error, "too slowly")
		})
	}
}

// readers is the number of bodies that have not come to their end.
func (a *admission) readers() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.reading)
}

// The slowest gives way, and nobody who is fast enough.
func TestTheSlowestGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(1000 << 10)
		interrupted := ""
		bodies := map[string]*admitted{}
		for _, name := range []string{"slow", "slower", "fast"} {
			bodies[name] = a.admit(endless{}, 500<<10, func() { interrupted += name + " " })
		}
		read := func(name string, n int) error {
			_, err := bodies[name].Read(make([]byte, n))
			return err
		}
		require.NoError(t, read("slow", 500<<10))
		require.NoError(t, read("slower", 400<<10))
		require.NoError(t, read("fast", 90<<10))
		require.Nil(t, a.admit(endless{}, 100<<10, nil), "nobody has been slow for long enough")
		for range 3 {
			time.Sleep(paceWindow)
			require.NoError(t, read("slow", 100))
			require.NoError(t, read("slower", 50))
			require.NoError(t, read("fast", 2<<10))
			require.NoError(t, read("fast", 0))
		}
		time.Sleep(paceWindow / 2)
		other := a.admit(endless{}, 100<<10, nil)
		require.NotNil(t, other)
		require.Equal(t, "slower ", interrupted)
		require.ErrorIs(t, read("slower", 1), errSlow)
		require.NoError(t, read("slow", 1))
		bodies["slower"].done()
		bodies["slow"].done()
		bodies["fast"].done()
		other.done()
		require.Zero(t, a.inFlight())
		require.Zero(t, a.readers())
	})
}

// endless is a body that always has more.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// Whatever is read and given up, in any order and at any pace: nothing is left at work, the limit holds but for one body
// that is alone, and one body alone can be read.
func TestAdmission(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := newAdmission(rapid.Int64Range(1, 50).Draw(t, "limit"))
		var open []*admitted
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			pause := time.Duration(rapid.IntRange(0, 3).Draw(t, "pause")) * paceWindow / 2
			for _, share := range open {
				share.windowStart = share.windowStart.Add(-pause)
			}
			switch {
			case len(open) == 0 || rapid.Bool().Draw(t, "another"):
				size := rapid.IntRange(0, 100).Draw(t, "size")
				announced := rapid.SampledFrom([]int{-1, size / 2, size}).Draw(t, "announced")
				if share := a.admit(strings.NewReader(strings.Repeat("x", size)), int64(announced), func() {}); share != nil {
					open = append(open, share)
				} else if len(open) == 0 {
					t.Fatal("refused, but nothing is at work")
				}
			default:
				i := rapid.IntRange(0, len(open)-1).Draw(t, "which")
				share := open[i]
				_, err := share.Read(make([]byte, rapid.IntRange(1, 30).Draw(t, "bytes")))
				if errors.Is(err, errBusy) && len(open) == 1 {
					t.Fatalf("%v, but it is alone", err)
				}
				if err != nil && rapid.Bool().Draw(t, "done") {
					share.done()
					open = append(open[:i], open[i+1:]...)
				}
			}
			sum, most := int64(0), int64(0)
			for _, share := range open {
				sum += share.own
				most = max(most, share.own)
			}
			if a.bytes != sum || sum > a.limit && sum > most+a.limit {
				t.Fatalf("%d at work, %d counted, limit %d", sum, a.bytes, a.limit)
			}
		}
		for _, share := range open {
			share.done()
		}
		if a.bytes != 0 || len(a.reading) != 0 {
			t.Fatalf("%d bytes and %d bodies are left", a.bytes, len(a.reading))
		}
	})
}
