// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/tasker-otel/otelcol-tasker/extension/taskerpages/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// served returns the extension with its running server.
func served(t *testing.T, change func(*Config)) (*pages, string) {
	cfg := createDefaultConfig().(*Config)
	cfg.ServerConfig.NetAddr.Endpoint = "localhost:0"
	cfg.OwnMetrics = ""
	cfg.RefreshInterval = leastRefresh
	if change != nil {
		change(cfg)
	}
	p, err := newPages(extensiontest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, p.Shutdown(context.Background())) })
	return p, "http://" + p.address
}

// events reads server-sent events.
type events struct {
	t       *testing.T
	scanner *bufio.Scanner
	status  int
	close   func()
}

func listen(t *testing.T, url string) *events {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	transport := &http.Transport{}
	response, err := transport.RoundTrip(request)
	require.NoError(t, err)
	scanner := bufio.NewScanner(response.Body)
	scanner.Buffer(nil, 8<<20)
	e := &events{t, scanner, response.StatusCode, func() {
		_ = response.Body.Close()
		transport.CloseIdleConnections()
	}}
	t.Cleanup(e.close)
	return e
}

func (e *events) next() (event, data string) {
	e.t.Helper()
	for e.scanner.Scan() {
		line := e.scanner.Text()
		switch {
		case line == "" && event != "":
			return event, data
		case strings.HasPrefix(line, "event: "):
			event = strings.TrimPrefix(line, "event: ")
		case strings.HasPrefix(line, "data: "):
			data += strings.TrimPrefix(line, "data: ") + "\n"
		}
	}
	return "", ""
}

func TestAPageIsKeptUpToDate(t *testing.T) {
	p, url := served(t, nil)
	h := newHeld(time.Now)
	withdraw := p.OfferTasks(extensiontest.NewNopSettings(metadata.Type).ID, h)
	defer withdraw()
	e := listen(t, url+"/live?page=/tasks")
	require.Equal(t, http.StatusOK, e.status)
	name, data := e.next()
	require.Equal(t, "main", name)
	require.Contains(t, data, "No open or retained task")
	require.NotContains(t, data, "<html", "the main part only")
	h.observe(&event.Event{TraceID: event.TraceID{1}, Identity: 1, Name: lifecycle.TaskStartRequested, StepCount: 2, TaskName: "process_order",
		TaskID: event.ID{Text: "1", Integer: true}, At: time.Now().UnixNano()})
	name, data = e.next()
	require.Equal(t, "main", name)
	require.Contains(t, data, "process_order 1")

	h.observe(&event.Event{TraceID: event.TraceID{1}, Identity: 2, Name: lifecycle.TaskCancelled, TaskID: event.ID{Text: "1", Integer: true}, At: time.Now().UnixNano()})
	h.release()
	settled := listen(t, url+"/live?page=/tasks/01000000000000000000000000000000")
	name, data = settled.next()
	require.Equal(t, "main", name)
	require.Contains(t, data, "cancelled")
	name, _ = settled.next()
	require.Equal(t, "end", name, "what has ended does not change any more")
}

func TestViewersAreBounded(t *testing.T) {
	p, url := served(t, func(c *Config) { c.MaxViewers = 2 })
	first, second := listen(t, url+"/live?page=/"), listen(t, url+"/live?page=/")
	first.next()
	second.next()
	require.EqualValues(t, 2, p.viewers.Load())
	require.Equal(t, http.StatusServiceUnavailable, listen(t, url+"/live?page=/").status)
	first.close()
	require.Eventually(t, func() bool { return p.viewers.Load() < 2 }, time.Minute, 10*time.Millisecond)
	for _, page := range []string{"", "//evil.example.com/", "/live?page=/", "http://evil.example.com/", "%zz"} {
		require.Equal(t, http.StatusBadRequest, listen(t, url+"/live?page="+strings.ReplaceAll(page, "%", "%25")).status, page)
	}
}

// Shutdown does not wait for viewers, and may be called twice and before Start.
func TestAStopEndsTheStreams(t *testing.T) {
	p, url := served(t, nil)
	e := listen(t, url+"/live?page=/")
	e.next()
	require.NoError(t, p.Shutdown(t.Context()))
	name, _ := e.next()
	require.Empty(t, name)
	require.NoError(t, p.Shutdown(t.Context()))

	never, err := newPages(extensiontest.NewNopSettings(metadata.Type), createDefaultConfig().(*Config))
	require.NoError(t, err)
	require.NoError(t, never.Shutdown(t.Context()))
}
