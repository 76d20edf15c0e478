// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !windows

package taskercsv

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"

	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv/internal/metadata"
)

// With any kind of file in the place of a table or of its lock, startup neither hangs nor writes to it.
func TestOnlyFilesAreWritten(t *testing.T) {
	for kind, put := range map[string]func(path, victim string) error{
		"a pipe":          func(path, _ string) error { return syscall.Mkfifo(path, 0o600) },
		"a symbolic link": func(path, victim string) error { return os.Symlink(victim, path) },
		"a directory":     func(path, _ string) error { return os.Mkdir(path, 0o700) },
	} {
		for _, suffix := range []string{"", ".lock"} {
			t.Run(strings.TrimPrefix(kind, "a ")+suffix, func(t *testing.T) {
				directory := t.TempDir()
				victim := filepath.Join(directory, "victim")
				require.NoError(t, os.WriteFile(victim, []byte("precious"), 0o600))
				for _, signal := range []string{"metrics", "traces"} {
					require.NoError(t, put(filepath.Join(directory, signal+".csv"+suffix), victim))
				}
				cfg := createDefaultConfig().(*Config)
				cfg.Path = filepath.Join(directory, "{signal}.csv")
				settings := exportertest.NewNopSettings(metadata.Type)
				traces, err := NewFactory().CreateTraces(t.Context(), settings, cfg)
				require.NoError(t, err)
				require.ErrorContains(t, traces.Start(t.Context(), componenttest.NewNopHost()), "is "+kind)
				require.NoError(t, traces.Shutdown(t.Context()))
				metrics, err := NewFactory().CreateMetrics(t.Context(), settings, cfg)
				require.NoError(t, err)
				require.ErrorContains(t, metrics.Start(t.Context(), componenttest.NewNopHost()), "is "+kind)
				require.NoError(t, metrics.Shutdown(t.Context()))
				content, err := os.ReadFile(victim)
				require.NoError(t, err)
				require.Equal(t, "precious", string(content))
			})
		}
	}
}
