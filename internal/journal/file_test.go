// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	contrib "github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/extension/filestorage"
	"github.com/tasker-otel/otelcol-tasker/internal/journal"
)

// fileHost has a file_storage on a directory.
type fileHost struct {
	component.Host
	extension extension.Extension
}

var fileID = component.MustNewID("file_storage")

func (h fileHost) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{fileID: h.extension}
}

func fileStorage(tb testing.TB, directory string) component.Host {
	tb.Helper()
	factory := filestorage.NewFactory()
	config := factory.CreateDefaultConfig().(*contrib.Config)
	config.Directory = directory
	made, err := factory.Create(context.Background(), extensiontest.NewNopSettings(factory.Type()), config)
	require.NoError(tb, err)
	return fileHost{componenttest.NewNopHost(), made}
}

func openFile(tb testing.TB, directory string) *journal.Journal {
	tb.Helper()
	j, err := journal.Open(context.Background(), fileStorage(tb, directory), fileID, owner, zap.NewNop())
	require.NoError(tb, err)
	return j
}

func replayed(tb testing.TB, j *journal.Journal) int {
	tb.Helper()
	n := 0
	require.NoError(tb, j.Replay(context.Background(), func([]byte) error { n++; return nil }))
	return n
}

// TestFileStorage: with the real extension, a file that another program wrote, or that was truncated or overwritten, is set aside,
// and the state begun instead is found again.
func TestFileStorage(t *testing.T) {
	directory := t.TempDir()
	j := openFile(t, directory)
	for i := range 200 {
		j.Append(bytes.Repeat([]byte{byte(i)}, 1000))
		require.NoError(t, j.Commit(t.Context()))
	}
	require.NoError(t, j.Close(t.Context()))
	j = openFile(t, directory)
	assert.Equal(t, 200, replayed(t, j))
	require.NoError(t, j.Close(t.Context()))
	files, err := filepath.Glob(filepath.Join(directory, "*"))
	require.NoError(t, err)
	require.Len(t, files, 2, "the file and its marker")
	good, err := os.ReadFile(files[0])
	require.NoError(t, err)

	middle := bytes.Clone(good)
	copy(middle[2*4096:], bytes.Repeat([]byte{0xA5}, len(middle)-3*4096))
	for name, content := range map[string][]byte{
		"foreign":     bytes.Repeat([]byte("this is the diary of somebody else\n"), 1000),
		"cut":         good[:len(good)/3],
		"overwritten": middle,
	} {
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(directory, filepath.Base(files[0])), content, 0o600))
			for start := range 3 {
				j := openFile(t, directory)
				assert.Equal(t, start, replayed(t, j))
				j.Append(fmt.Appendf(nil, "start %d", start))
				require.NoError(t, j.Commit(t.Context()))
				require.NoError(t, j.Close(t.Context()))
			}
		})
	}
}

// BenchmarkCommit measures the cost of durability per request: an entry of 20 KB, like that of 200 events.
func BenchmarkCommit(b *testing.B) {
	j := openFile(b, b.TempDir())
	entry := bytes.Repeat([]byte("0123456789abcdef"), 1280)
	b.ReportAllocs()
	for b.Loop() {
		j.Append(entry)
		if err := j.Commit(b.Context()); err != nil {
			b.Fatal(err)
		}
		if j.Stats().Segments > 1000 {
			j.Checkpoint([][]byte{entry})
		}
	}
	require.NoError(b, j.Close(b.Context()))
}
