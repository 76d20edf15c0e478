// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

const goodCloud = `{"specversion":"1.0","type":"tasker.task.completed","source":"/apps/shop","id":"1","data":{"task_id":1}}`

// send posts a body with headers.
func send(t *testing.T, r *eventsReceiver, body string, headers map[string]string) (*http.Response, answer) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, r.url(defaultPath), strings.NewReader(body))
	require.NoError(t, err)
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	return response, decodeAnswer(t, response)
}

func TestBinaryCloudEvent(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := start(t, sink, nil)
	response, got := send(t, r, `{"task_id":1}`, map[string]string{
		"Content-Type": "application/json", "Ce-Specversion": "1.0", "CE-Type": "tasker.task.completed", "ce-source": "/apps/caf%C3%A9",
		"ce-id": `"a \"quoted\" id"`, "ce-time": "2026-06-01T12:00:00.5Z", "ce-correlationid": "100%", "ce-sequence": "7",
	})
	require.Equal(t, http.StatusOK, response.StatusCode, got)
	require.Equal(t, 1, sink.LogRecordCount())
	group := sink.AllLogs()[0].ResourceLogs().At(0)
	assert.Equal(t, map[string]any{"service.name": "café"}, group.Resource().Attributes().AsRaw())
	record := group.ScopeLogs().At(0).LogRecords().At(0)
	assert.Equal(t, "task.completed", record.EventName())
	assert.Equal(t, map[string]any{
		lifecycle.AttrTaskID: int64(1), lifecycle.AttrEventID: `/apps/café a "quoted" id`, lifecycle.AttrCorrelationID: "100%",
		lifecycle.AttrIdentity: int64(eventrecord.Identity(record)),
	}, record.Attributes().AsRaw())
}

func TestBadBinaryCloudEvent(t *testing.T) {
	r := start(t, consumertest.NewNop(), nil)
	response, got := send(t, r, `{"task_id":1}`, map[string]string{
		"Content-Type": "text/plain", "ce-specversion": "1.0", "ce-type": "task.completed", "ce-source": "/apps/shop", "ce-id": "1",
	})
	assert.Equal(t, http.StatusBadRequest, response.StatusCode)
	require.Len(t, got.Refused, 1)
	assert.Equal(t, "Content-Type", got.Refused[0].Field)
	assert.Equal(t, `Content-Type is "text/plain", which is not JSON`, got.Refused[0].Reason)
}

// The header's id is used for items without one; an invalid one is ignored.
func TestCorrelationIDHeader(t *testing.T) {
	for name, test := range map[string]struct {
		setting, header, value, body, want string
	}{
		"default":        {defaultCorrelationIDHeader, "X-Correlation-ID", " abc ", good, "abc"},
		"another":        {"X-Request-ID", "x-request-id", "abc", good, "abc"},
		"not that":       {"X-Request-ID", "X-Correlation-ID", "abc", good, ""},
		"none":           {"", "X-Correlation-ID", "abc", good, ""},
		"the item's own": {defaultCorrelationIDHeader, "X-Correlation-ID", "abc", strings.Replace(good, "{", `{"correlation_id":"own",`, 1), "own"},
		"CloudEvent":     {defaultCorrelationIDHeader, "X-Correlation-ID", "abc", goodCloud, "abc"},
		"too long":       {defaultCorrelationIDHeader, "X-Correlation-ID", strings.Repeat("x", maxCorrelationID+1), good, ""},
		"longest":        {defaultCorrelationIDHeader, "X-Correlation-ID", strings.Repeat("x", maxCorrelationID), good, strings.Repeat("x", maxCorrelationID)},
		"not UTF-8":      {defaultCorrelationIDHeader, "X-Correlation-ID", "a\xff", good, ""},
	} {
		t.Run(name, func(t *testing.T) {
			sink := new(consumertest.LogsSink)
			r := start(t, sink, func(c *Config) { c.CorrelationIDHeader = test.setting })
			response, _ := send(t, r, test.body, map[string]string{test.header: test.value})
			require.Equal(t, http.StatusOK, response.StatusCode)
			record := sink.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
			got, found := record.Attributes().Get(lifecycle.AttrCorrelationID)
			assert.Equal(t, test.want != "", found)
			if found {
				assert.Equal(t, test.want, got.Str())
			}
		})
	}
}

// Any text of an attribute survives percent-encoding and quoting.
func TestHeaderText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		require.Equal(t, text, headerText(url.PathEscape(text)))
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(url.PathEscape(text)) + `"`
		require.Equal(t, text, headerText(quoted))
	})
}

// FuzzHeaderText: no header causes a panic or a longer text.
func FuzzHeaderText(f *testing.F) {
	for _, seed := range []string{"", `"`, `""`, `"\`, `"\"`, "%", "%2", "%zz", "%c3%a9", ` "a\"b" `} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		require.LessOrEqual(t, len(headerText(value)), len(value))
	})
}
