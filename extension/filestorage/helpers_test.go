// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package filestorage

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"testing"

	upstream "github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tasker-otel/otelcol-tasker/extension/filestorage/internal/metadata"
)

var owner = component.MustNewID("span_hierarchy")

// newTest starts the extension on a directory, and stops it at the end of the test.
func newTest(tb testing.TB, directory string, change func(*upstream.Config)) (*fileStorage, *observer.ObservedLogs) {
	tb.Helper()
	cfg := NewFactory().CreateDefaultConfig().(*upstream.Config)
	cfg.Directory, cfg.CreateDirectory, cfg.Compaction.Directory = directory, true, directory
	if change != nil {
		change(cfg)
	}
	require.NoError(tb, cfg.Validate())
	logs, seen := observer.New(zap.InfoLevel)
	set := extensiontest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(logs)
	made, err := NewFactory().Create(tb.Context(), set, cfg)
	require.NoError(tb, err)
	e := made.(*fileStorage)
	require.NoError(tb, e.Start(tb.Context(), componenttest.NewNopHost()))
	tb.Cleanup(func() { require.NoError(tb, e.Shutdown(context.Background())) })
	return e, seen
}

func client(tb testing.TB, e *fileStorage) *store {
	tb.Helper()
	c, err := e.GetClient(tb.Context(), component.KindProcessor, owner, "")
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, c.Close(context.Background())) })
	return c.(*store)
}

// content returns what a component sees.
func content(tb testing.TB, c *store) map[string]string {
	tb.Helper()
	found := map[string]string{}
	require.NoError(tb, c.Walk(tb.Context(), func(key string, value []byte) ([]*storage.Operation, error) {
		found[key] = string(value)
		return nil, nil
	}))
	return found
}

// counted returns the losses by reason; restored files have none.
func (e *fileStorage) counted() map[string]int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	byReason := map[string]int64{}
	for of, n := range maps.All(e.counts) {
		byReason[of.reason] += n
	}
	return byReason
}

// stored returns a directory with the file of a component that holds two values.
func stored(tb testing.TB) (directory, path string) {
	tb.Helper()
	directory = tb.TempDir()
	e, _ := newTest(tb, directory, nil)
	c := client(tb, e)
	require.NoError(tb, c.Set(tb.Context(), "a", []byte("1")))
	require.NoError(tb, c.Set(tb.Context(), "b", []byte("2")))
	require.NoError(tb, c.Close(tb.Context()))
	return directory, c.path
}

func files(tb testing.TB, directory string) []string {
	tb.Helper()
	entries, err := os.ReadDir(directory)
	require.NoError(tb, err)
	var names []string
	for _, entry := range entries {
		names = append(names, filepath.Base(entry.Name()))
	}
	return names
}
