// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	declaredMetric = regexp.MustCompile(`(?m)^### (otelcol_\w+)$`)
	// A name that ends with an underscore is a prefix, as in otelcol_exporter_tasker_csv_*.
	ownMetric = regexp.MustCompile(`otelcol_(?:receiver_tasker_events|processor_event_router|processor_span_hierarchy|connector_routed_events|connector_span_to_metrics|exporter_tasker_csv)_\w+`)
)

// TestMetricsOfPages checks that internal metrics named in the docs are declared by a component. They have no suffix,
// because the collector's own endpoint adds none.
func TestMetricsOfPages(t *testing.T) {
	declared := map[string]bool{}
	pages, err := filepath.Glob("../*/*/documentation.md")
	require.NoError(t, err)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, name := range declaredMetric.FindAllStringSubmatch(string(text), -1) {
			declared[name[1]] = true
		}
	}
	require.Greater(t, len(declared), 50)
	named := 0
	require.NoError(t, filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && len(entry.Name()) > 2 && entry.Name()[0] == '.' || entry.Name() == "node_modules" {
			return fs.SkipDir
		}
		if entry.IsDir() || filepath.Ext(path) != ".md" || entry.Name() == "documentation.md" {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, name := range ownMetric.FindAllString(string(text), -1) {
			named++
			assert.True(t, declared[name] || strings.HasSuffix(name, "_"), "%s: there is no metric %s", path, name)
		}
		return err
	}))
	assert.Greater(t, named, 10)
}
