package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

// FuzzDecode checks that no body makes the decoder panic, that what it takes whole is JSON to encoding/json too, with as
// many items, and that the logs hold what the report says.
func FuzzDecode(f *testing.F) {
	for _, line := range bytes.Split(stream(f, "planned")[:20_000], []byte{'\n'}) {
		f.Add(line, false)
	}
	for _, event := range []string{
		cloud(f, nil), cloud(f, map[string]any{"data": nil, "data_base64": "eyJhIjoxfQ=="}),
		cloud(f, map[string]any{"source": "https://shop.example.com:80/?", "id": 7, "specversion": "0.3"}),
	} {
		f.Add([]byte(event), false)
		f.Add([]byte("["+event+",{}]\n"+event), true)
	}
	decoder := newDecoder(wire.Limits{MaxItems: 1000, MaxItemBytes: 4096, MaxDepth: 32})
	f.Fuzz(func(t *testing.T, body []byte, ndjson bool) {
		format := wire.FormatAuto
		if ndjson {
			format = wire.FormatNDJSON
		}
		logs, report := decoder.Decode(body, format)
		require.Equal(t, report.Accepted, logs.LogRecordCount())
		refused := 0
		for _, count := range report.RefusedBy {
			refused += count
		}
		require.Equal(t, report.Refused, refused)
		require.Len(t, report.Refusals, min(refused, wire.MaxRefusals))
		marshal(t, logs)
		if report.Refused == 0 {
			require.Equal(t, itemsOf(t, body), report.Accepted)
		}
	})
}

// itemsOf counts the items of a body with encoding/json.
func itemsOf(t *testing.T, body []byte) (items int) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))))
	for {
		var value json.RawMessage
		err := decoder.Decode(&value)
		if errors.Is(err, io.EOF) {
			return items
		}
		require.NoError(t, err, "%q was taken", body)
		if value[0] != '[' {
			items++
			continue
		}
		var list []json.RawMessage
		require.NoError(t, json.Unmarshal(value, &list))
		items += len(list)
	}
}
