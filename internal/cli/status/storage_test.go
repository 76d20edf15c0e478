// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/writeahead"
)

// storedFiles are the metrics of a collector with the file of span_hierarchy.
func storedFiles(failing int, more string) string {
	return withStorage(0) + fmt.Sprintf(`# TYPE otelcol_extension_file_storage_failing gauge
otelcol_extension_file_storage_failing{store="processor_span_hierarchy_"} %d
`, failing) + more
}

const lostFile = `# TYPE otelcol_extension_file_storage_lost counter
otelcol_extension_file_storage_lost_total{store="exporter_otlp__traces",reason="damaged"} 1
`

func TestLostStateIsNoHealth(t *testing.T) {
	s, err := Read(t.Context(), collector(t, storedFiles(0, ""), 200, healthy))
	require.NoError(t, err)
	assert.True(t, s.Healthy())
	assert.Equal(t, []Store{{Name: "processor_span_hierarchy_"}}, s.Stores)

	s, err = Read(t.Context(), collector(t, storedFiles(0, lostFile), 200, healthy))
	require.NoError(t, err)
	assert.False(t, s.Healthy())
	assert.True(t, s.HealthyApartFromExporters(), "a restart does not bring it back")
	assert.Equal(t, []string{"exporter_otlp__traces: content lost since startup: damaged (1)"}, s.StateProblems())
	var text bytes.Buffer
	require.NoError(t, s.Write(&text))
	assert.Contains(t, text.String(), "LOST OR FAILING STATE\nexporter_otlp__traces: content lost since startup: damaged (1)")

	s, err = Read(t.Context(), collector(t, storedFiles(1, ""), 200, healthy))
	require.NoError(t, err)
	assert.False(t, s.HealthyApartFromExporters())
	assert.Equal(t, []string{"processor_span_hierarchy_: cannot be written"}, s.StateProblems())

	aside := "# TYPE otelcol_connector_span_to_metrics_storage_set_aside counter\notelcol_connector_span_to_metrics_storage_set_aside_total 2\n"
	s, err = Read(t.Context(), collector(t, storedFiles(0, aside), 200, healthy))
	require.NoError(t, err)
	assert.False(t, s.Healthy())
	assert.Equal(t, []string{"span_to_metrics: 2 segments of its state were unreadable at startup"}, s.StateProblems())
}

func TestSyncReadsWhatIsOnDisk(t *testing.T) {
	write := func(value []byte) string {
		directory := t.TempDir()
		db, err := bbolt.Open(filepath.Join(directory, "processor_span_hierarchy_"), 0o600, &bbolt.Options{NoFreelistSync: true})
		require.NoError(t, err)
		require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
			bucket, err := tx.CreateBucket([]byte("default"))
			require.NoError(t, err)
			return bucket.Put([]byte("segment/0000000000000001"), value)
		}))
		require.NoError(t, db.Close())
		return directory
	}
	sound := write([]byte("J\x01\x00\x00\x00\x00"))
	cut := write([]byte("J\x01\x00\x00\x00\x00"))
	require.NoError(t, os.Truncate(filepath.Join(cut, "processor_span_hierarchy_"), 9000))
	// logged returns a valid file with a write-ahead log that has one modified segment.
	logged := func(value []byte, harm func([]byte)) string {
		directory := write([]byte("J\x01\x00\x00\x00\x00"))
		path := writeahead.Path(filepath.Join(directory, "processor_span_hierarchy_"))
		log, _, err := writeahead.Open(path, false)
		require.NoError(t, err)
		require.NoError(t, log.Restart(rand.Text()))
		_, err = log.Append(writeahead.NewBatch(nil, []*storage.Operation{
			storage.SetOperation("segment/0000000000000002", value), storage.DeleteOperation("segment/0000000000000001"),
		}))
		require.NoError(t, err)
		require.NoError(t, log.Close())
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		harm(data)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return directory
	}
	asIs, flip := func([]byte) {}, func(data []byte) { data[len(data)-1] ^= 1 }
	link := t.TempDir()
	require.NoError(t, os.Symlink(filepath.Join(sound, "processor_span_hierarchy_"), filepath.Join(link, "processor_span_hierarchy_")))
	for name, c := range map[string]struct {
		directories []string
		want        string
	}{
		"not asked": {nil, ""},
		"sound":     {[]string{sound}, ""},
		"elsewhere": {[]string{t.TempDir(), sound}, ""},
		"missing":   {[]string{t.TempDir()}, "the file does not exist in "},
		"cut":       {[]string{cut}, "it is damaged: it has 9000 bytes"},
		"checksum":  {[]string{write([]byte("J\x01\x00\x00\x00\x00more"))}, "segment/0000000000000001: its checksum is wrong"},
		"log":       {[]string{logged([]byte("J\x01\x00\x00\x00\x00"), asIs)}, ""},
		"segment":   {[]string{logged([]byte("J\x01\x00\x00\x00\x00more"), asIs)}, "_.wal: segment/0000000000000002: its checksum is wrong"},
		"batch":     {[]string{logged([]byte("J\x01\x00\x00\x00\x00"), flip)}, "_.wal: a part of the write-ahead log is unreadable"},
		"no file":   {[]string{link}, "is a symbolic link"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := CheckDurability(t.Context(), collector(t, storedFiles(0, ""), 200, healthy), c.directories)
			require.NoError(t, err)
			problems := strings.Join(d.Problems(), "\n")
			var text bytes.Buffer
			require.NoError(t, d.Write(&text))
			if c.want == "" {
				assert.Empty(t, problems)
				return
			}
			assert.Contains(t, problems, "processor_span_hierarchy_: ")
			assert.Contains(t, problems, c.want)
			assert.Contains(t, text.String(), c.want)
		})
	}
	d, err := CheckDurability(t.Context(), collector(t, storedFiles(0, lostFile), 200, healthy), nil)
	require.NoError(t, err)
	assert.NotEmpty(t, d.Problems())
}
