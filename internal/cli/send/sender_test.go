// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package send_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/eventfile"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/send"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a clock that advances only while the sender sleeps.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slept = append(c.slept, d)
	c.now = c.now.Add(d)
	return ctx.Err()
}

// lines returns n items, one per line.
func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"event":"step.completed","payload":{"task_id":%d}}`+"\n", i)
	}
	return b.String()
}

func source(text string) *eventfile.Source {
	return eventfile.NewSource([]string{eventfile.Stdin}, strings.NewReader(text))
}

// run sends a text to a server, with modified settings.
func run(t *testing.T, text string, handler http.HandlerFunc, change func(*send.Settings)) (send.Summary, *clock) {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	c := newClock()
	settings := send.DefaultSettings()
	settings.Endpoint, settings.Concurrency, settings.Now, settings.Sleep = server.URL+"/v1/events", 1, c.Now, c.Sleep
	if change != nil {
		change(&settings)
	}
	s, err := send.New(settings)
	require.NoError(t, err)
	summary := s.Send(t.Context(), source(text))
	assert.Equal(t, summary.Read, summary.Accepted+summary.Refused+summary.Undelivered+summary.Unsent, "no item without an account")
	assert.Equal(t, summary.Progress, s.Progress())
	return summary, c
}

// receive responds as a receiver does, with its decoder.
func receive(t *testing.T, w http.ResponseWriter, body []byte) {
	t.Helper()
	_, report := wire.NewDecoder(wire.Settings{}).Decode(body, wire.FormatNDJSON)
	answer := strings.Builder{}
	for i, r := range report.Refusals {
		if i > 0 {
			answer.WriteByte(',')
		}
		fmt.Fprintf(&answer, `{"index":%d,"field":%q,"reason":%q,"remedy":%q}`, r.Index, r.Field, r.Reason, r.Remedy)
	}
	fmt.Fprintf(w, `{"accepted":%d,"refused":[%s]}`, report.Accepted, answer.String()) //nolint:errcheck // a test server
}

func body(t *testing.T, r *http.Request) []byte {
	t.Helper()
	var in io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		inflated, err := gzip.NewReader(r.Body)
		if !assert.NoError(t, err) {
			return nil
		}
		in = inflated
	}
	text, err := io.ReadAll(in)
	assert.NoError(t, err)
	return text
}

func TestSendAll(t *testing.T) {
	for _, compression := range []string{send.CompressionNone, send.CompressionGzip} {
		t.Run(compression, func(t *testing.T) {
			var mu sync.Mutex
			seen := map[string]int{}
			summary, c := run(t, lines(1001), func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, http.MethodPost, r.Method)
				assert.Equal(t, "/v1/events", r.URL.Path)
				assert.Equal(t, "application/x-ndjson", r.Header.Get("Content-Type"))
				assert.Equal(t, "Bearer x", r.Header.Get("Authorization"))
				text := body(t, r)
				mu.Lock()
				defer mu.Unlock()
				for line := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n") {
					seen[line]++
				}
				receive(t, w, text)
			}, func(s *send.Settings) {
				s.BatchSize, s.Concurrency, s.Compression = 100, 4, compression
				s.Header = http.Header{"Authorization": {"Bearer x"}}
			})
			assert.True(t, summary.Complete())
			assert.Equal(t, 1001, summary.Accepted)
			assert.Len(t, seen, 1001)
			assert.Empty(t, c.slept)
		})
	}
}

func TestRefusalsNameTheLine(t *testing.T) {
	text := lines(2) +
		`{"event":"step.completed"}` + "\n" + // line 3: no payload
		"not JSON\n" + // line 4: never sent
		lines(1) +
		`{"payload":{}}` + "\n" // line 6: no event
	summary, _ := run(t, text, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest) // the list counts, regardless of the status
		receive(t, w, body(t, r))
	}, func(s *send.Settings) { s.ShownRefusals = 2 })
	assert.False(t, summary.Complete())
	assert.Equal(t, 3, summary.Accepted)
	assert.Equal(t, 3, summary.Refused)
	assert.Equal(t, []send.Refusal{
		{Where: "stdin:4", Reason: `"not JSON" is not a JSON object`, Remedy: `send objects of the form {"event": "step.completed", "payload": {…}}`},
		{Where: "stdin:3", Field: "payload", Reason: "payload is missing or not an object", Remedy: "send the event's payload as a JSON object; an empty one is {}"},
	}, summary.Refusals)

	var text2 bytes.Buffer
	require.NoError(t, summary.Write(&text2))
	assert.Equal(t, `accepted     3 of 6 events
refused      3
  stdin:4: "not JSON" is not a JSON object (send objects of the form {"event": "step.completed", "payload": {…}})
  stdin:3: payload: payload is missing or not an object (send the event's payload as a JSON object; an empty one is {})
  … and 1 more refused
duration     0s, 0 events/s
Sending the same files again is safe: the collector detects duplicates.
`, text2.String())
}

func TestRetryAfter(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		header string
		want   time.Duration
	}{
		"seconds":               {http.StatusTooManyRequests, "7", 7 * time.Second},
		"date":                  {http.StatusServiceUnavailable, "Mon, 01 Jun 2026 12:01:00 GMT", time.Minute},
		"too far in the future": {http.StatusServiceUnavailable, "Mon, 01 Jun 2027 12:01:00 GMT", 5 * time.Minute},
		"too many seconds":      {http.StatusServiceUnavailable, "99999999999", 5 * time.Minute},
		"no number of 64 bits":  {http.StatusServiceUnavailable, "99999999999999999999", 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			summary, c := run(t, lines(3), func(w http.ResponseWriter, r *http.Request) {
				if requests++; requests == 1 {
					w.Header().Set("Retry-After", test.header)
					w.WriteHeader(test.status)
					return
				}
				receive(t, w, body(t, r))
			}, nil)
			assert.True(t, summary.Complete())
			assert.Equal(t, 1, summary.Retries)
			assert.Equal(t, []time.Duration{test.want}, c.slept)
		})
	}
}

func TestRetryAfterThatMeansNothing(t *testing.T) {
	for _, header := range []string{"", "soon", "-5", "0", "Mon, 01 Jun 2026 11:00:00 GMT"} {
		requests := 0
		summary, c := run(t, lines(1), func(w http.ResponseWriter, r *http.Request) {
			if requests++; requests == 1 {
				w.Header().Set("Retry-After", header)
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			receive(t, w, body(t, r))
		}, nil)
		assert.True(t, summary.Complete())
		require.Len(t, c.slept, 1, header)
		assert.InDelta(t, 500*time.Millisecond, c.slept[0], float64(250*time.Millisecond), "the sender's own wait")
	}
}

func TestWaitsGrow(t *testing.T) {
	summary, c := run(t, lines(900), func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprint(w, "no\nupstream") //nolint:errcheck // a test server
	}, func(s *send.Settings) { s.Retries = 3 })
	require.Len(t, c.slept, 3)
	for i, planned := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second} {
		assert.InDelta(t, planned, c.slept[i], float64(planned/2))
	}
	const problem = "the receiver answered 502 Bad Gateway: no upstream, after 4 attempts"
	assert.Equal(t, problem, summary.GaveUp)
	assert.Equal(t, []send.Refusal{{Where: "stdin:1-500", Reason: problem}}, summary.Lost)
	assert.Equal(t, 500, summary.Undelivered)
	assert.Equal(t, 3, summary.Retries)
	assert.False(t, summary.Complete())
}

// Secrets in the address of the endpoint, or in a redirect, are not in messages.
func TestSecretsOfTheEndpointStayOut(t *testing.T) {
	const key = "hunter2"
	for name, test := range map[string]struct {
		endpoint string
		handler  http.HandlerFunc
	}{
		"no answer": {"http://me:" + key + "@127.0.0.1:1/?key=" + key, nil},
		"redirect": {"", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://me:"+key+"@other/?key="+key, http.StatusFound)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			summary, _ := run(t, lines(1), test.handler, func(s *send.Settings) {
				s.Endpoint, s.Retries = cmp.Or(test.endpoint, s.Endpoint), 0
			})
			require.NotEmpty(t, summary.GaveUp)
			assert.NotContains(t, fmt.Sprintf("%+v", summary), key)
		})
	}
	_, err := send.New(send.Settings{Endpoint: "http://me:" + key + "%zz@other"})
	require.ErrorContains(t, err, `--endpoint: "http://***@other" is not an HTTP address`)
	assert.NotContains(t, err.Error(), key)
}

func TestConnectionRefused(t *testing.T) {
	// A port that was free a moment ago may be in use; nothing listens on this one.
	summary, c := run(t, lines(2), nil, func(s *send.Settings) { s.Endpoint, s.Retries = "http://127.0.0.1:1", 2 })
	assert.Len(t, c.slept, 2)
	assert.Equal(t, 2, summary.Undelivered)
	assert.Contains(t, summary.GaveUp, "connection refused, after 3 attempts")
	assert.Equal(t, "check that the collector is running, and --endpoint", summary.Remedy)
}

// Errors that would affect the following batches too end the sending immediately.
func TestHopeless(t *testing.T) {
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    string
		remedy  string
	}{
		"no credentials": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
			"the receiver answered 401 Unauthorized", "credentials"},
		"wrong path": {http.NotFound, "the receiver answered 404 Not Found: 404 page not found", "/v1/events"},
		"TLS there": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Client sent an HTTP request to an HTTPS server.", http.StatusBadRequest)
		}, "the receiver answered 400 Bad Request: Client sent", "https://"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://other/v1/events", http.StatusFound)
		},
			"the receiver answered 302 Found", `"https://other/v1/events"`},
		"another server": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, //nolint:errcheck // a test server
			"the answer 200 OK (text/html; charset=utf-8) is not that of a tasker_events receiver: <html>", "--endpoint"},
		"another API": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"ok":true}`) }, //nolint:errcheck // a test server
			"is not that of a tasker_events receiver", "--endpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			summary, c := run(t, lines(5000), func(w http.ResponseWriter, r *http.Request) {
				requests++
				test.handler(w, r)
			}, nil)
			assert.Equal(t, 1, requests)
			assert.Empty(t, c.slept)
			assert.Contains(t, summary.GaveUp, test.want)
			assert.Contains(t, summary.Remedy, test.remedy)
			assert.Equal(t, 500, summary.Undelivered)
			assert.Zero(t, summary.Accepted)
			assert.False(t, summary.Complete())
		})
	}
}

func TestABadBatchDoesNotStopTheOthers(t *testing.T) {
	requests := 0
	summary, _ := run(t, lines(30), func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests == 2 {
			http.Error(w, "cannot read the body", http.StatusBadRequest)
			return
		}
		receive(t, w, body(t, r))
	}, func(s *send.Settings) { s.BatchSize = 10 })
	assert.Equal(t, 20, summary.Accepted)
	assert.Equal(t, 10, summary.Undelivered)
	assert.Empty(t, summary.GaveUp)
	assert.Equal(t, []send.Refusal{{Where: "stdin:11-20", Reason: "the receiver answered 400 Bad Request: cannot read the body"}}, summary.Lost)
}

// A receiver's 500 is a permanent error of the pipeline: the batch is lost, others may succeed.
func TestRefusedForGood(t *testing.T) {
	requests := 0
	summary, c := run(t, lines(2), func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests == 1 {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, `{"accepted":0,"refused_count":0,"refused":[],"error":"no room on the disk"}`) //nolint:errcheck // a test server
			return
		}
		receive(t, w, body(t, r))
	}, func(s *send.Settings) { s.BatchSize = 1 })
	assert.Empty(t, c.slept)
	assert.Equal(t, 1, summary.Accepted)
	assert.Equal(t, []send.Refusal{{Where: "stdin:1", Reason: "the receiver answered 500 Internal Server Error: no room on the disk"}}, summary.Lost)
}

func TestTooLargeBatchesAreHalved(t *testing.T) {
	for name, refuse := range map[string]func(w http.ResponseWriter){
		"413": func(w http.ResponseWriter) { w.WriteHeader(http.StatusRequestEntityTooLarge) },
		"too many items": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"accepted":0,"refused":[{"index":3,"code":"too_many_items","reason":"more than 3 items"}]}`) //nolint:errcheck // a test server
		},
	} {
		t.Run(name, func(t *testing.T) {
			var sizes []int
			summary, _ := run(t, lines(10), func(w http.ResponseWriter, r *http.Request) {
				text := body(t, r)
				n := bytes.Count(text, []byte{'\n'})
				sizes = append(sizes, n)
				if n > 3 {
					refuse(w)
					return
				}
				receive(t, w, text)
			}, nil)
			assert.True(t, summary.Complete())
			assert.Equal(t, []int{10, 5, 2, 3, 5, 2, 3}, sizes)
		})
	}
}

func TestOneItemThatIsTooLarge(t *testing.T) {
	summary, _ := run(t, lines(2), func(w http.ResponseWriter, r *http.Request) {
		if text := body(t, r); bytes.Contains(text, []byte(`"task_id":1}`)) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		w.WriteHeader(http.StatusAccepted) // an empty response comes from a gateway
	}, nil)
	assert.Equal(t, 1, summary.Accepted)
	assert.Equal(t, []send.Refusal{{Where: "stdin:2", Reason: "the receiver answered 413 Request Entity Too Large"}}, summary.Lost)
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cancel() // during this request
		receive(t, w, body(t, r))
	}))
	defer server.Close()
	settings := send.DefaultSettings()
	settings.Endpoint, settings.Concurrency, settings.BatchSize = server.URL, 1, 10
	s, err := send.New(settings)
	require.NoError(t, err)
	summary := s.Send(ctx, source(lines(100)))
	assert.True(t, summary.Interrupted)
	assert.Equal(t, 10, summary.Accepted, "the request under way is let finish")
	assert.Empty(t, summary.GaveUp)
	assert.False(t, summary.Complete())
	var text bytes.Buffer
	require.NoError(t, summary.Write(&text))
	assert.Contains(t, text.String(), "stopped      interrupted")
}

func TestInterruptedWhileItWaits(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusServiceUnavailable)
		cancel()
	}))
	defer server.Close()
	settings := send.DefaultSettings()
	settings.Endpoint = server.URL
	s, err := send.New(settings)
	require.NoError(t, err)
	summary := s.Send(ctx, source(lines(10)))
	assert.True(t, summary.Interrupted)
	assert.Equal(t, 10, summary.Undelivered)
}

// A blocked source, such as standard input without a writer, does not block Send.
func TestInterruptedWhileItReads(t *testing.T) {
	reader, writer := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	settings := send.DefaultSettings()
	s, err := send.New(settings)
	require.NoError(t, err)
	go func() {
		io.WriteString(writer, lines(1)) //nolint:errcheck // a test
		cancel()
	}()
	summary := s.Send(ctx, eventfile.NewSource([]string{eventfile.Stdin}, reader))
	assert.True(t, summary.Interrupted)
	assert.Zero(t, summary.Accepted)
	require.NoError(t, writer.Close())
}

func TestASourceThatBreaks(t *testing.T) {
	broken := errors.New("disk on fire")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { receive(t, w, body(t, r)) }))
	defer server.Close()
	settings := send.DefaultSettings()
	settings.Endpoint = server.URL
	s, err := send.New(settings)
	require.NoError(t, err)
	summary := s.Send(t.Context(), eventfile.NewSource([]string{"-"}, io.MultiReader(strings.NewReader(lines(3)), iotest.ErrReader(broken))))
	assert.Equal(t, 3, summary.Accepted, "what was read is sent")
	assert.ErrorIs(t, summary.ReadError, broken)
	assert.False(t, summary.Complete())
}

func TestValidate(t *testing.T) {
	settings := send.DefaultSettings()
	assert.NoError(t, settings.Validate())
	wrong := send.Settings{Endpoint: "localhost:4319", Compression: "lz4", Retries: -1, ShownRefusals: -1}
	_, err := send.New(wrong)
	for _, part := range []string{`--endpoint: "localhost:4319"`, "--batch-size: 0 is", "--concurrency: 0 is", `--compression: "lz4"`,
		"--timeout: 0s is", "--max-retry-after: 0s is", "--retries: -1 is", "--show-refused: -1 is"} {
		assert.ErrorContains(t, err, part)
	}
}
