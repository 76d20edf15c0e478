// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// yamlBlock matches an example in a page, with its indentation.
var yamlBlock = regexp.MustCompile("(?ms)^( *)```ya?ml\n(.*?)^ *```$")

// secretVariable matches an environment variable without a default, which the reader must set.
var secretVariable = regexp.MustCompile(`\$\{env:(\w+)\}`)

// around defines components of the reader that examples refer to.
const around = `
receivers:
  kafka: {}
connectors:
  forward: {}
exporters:
  otlp: {endpoint: localhost:4327}
  otlp_http: {endpoint: "http://localhost:4328"}
`

// TestYAMLOfPages checks that the YAML of the docs is valid when merged over config.yaml, or over all of it except the
// pipelines, or over standalone.yaml if it has its own pipelines.
func TestYAMLOfPages(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4328")
	others := filepath.Join(t.TempDir(), "around.yaml")
	require.NoError(t, os.WriteFile(others, []byte(around), 0o600))
	bare := withoutPipelines(t)
	configurations := 0
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for i, block := range yamlBlock.FindAllStringSubmatch(string(text), -1) {
			source := strings.ReplaceAll("\n"+block[2], "\n"+block[1], "\n")
			var sections map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(source), &sections), "%s, block %d", page, i)
			if !isConfiguration(sections) || strings.HasPrefix(block[2], "# needs a distribution of your own\n") {
				continue
			}
			configurations++
			t.Run(fmt.Sprintf("%s/%d", page, i), func(t *testing.T) {
				for _, variable := range secretVariable.FindAllStringSubmatch(source, -1) {
					t.Setenv(variable[1], "secret")
				}
				snippet := filepath.Join(t.TempDir(), "snippet.yaml")
				require.NoError(t, os.WriteFile(snippet, []byte(source), 0o600))
				output, err := validate(t, defaultConfig, others, snippet)
				if service, _ := sections["service"].(map[string]any); err != nil && service["pipelines"] != nil {
					if output, err = validate(t, bare, others, snippet); err != nil {
						output, err = validate(t, "../deploy/otelcol/standalone.yaml", others, snippet)
					}
				}
				assert.NoError(t, err, output)
			})
		}
	}
	require.Greater(t, configurations, 20)
}

// pathInText matches a path of this repository in a sentence.
var pathInText = regexp.MustCompile("`((?:cmd|connector|deploy|docs|examples|exporter|internal|processor|receiver|scripts|tests)/[A-Za-z0-9_./-]+)`")

// TestPathsOfPages checks that the files named in the docs exist.
func TestPathsOfPages(t *testing.T) {
	named := 0
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, path := range pathInText.FindAllStringSubmatch(string(text), -1) {
			named++
			_, err := os.Stat(filepath.Join("..", path[1]))
			assert.NoError(t, err, "%s names %s", page, path[1])
		}
	}
	require.Greater(t, named, 20)
}

// TestPicturesOfPages compares the output of taskerotel with that shown in the docs.
func TestPicturesOfPages(t *testing.T) {
	tool := commandLine(t)
	const streams = "streamtest/testdata/"
	for _, picture := range []struct {
		page, begins string
		command      []string
	}{
		{"../README.md", "✓ customer_analytics 12 ", []string{"tree", "--task", "12", streams + "mixed.ndjson"}},
		{"../docs/taskerotel.md", "✗ process_order 5 ", []string{"tree", "--task", "5", streams + "mixed.ndjson"}},
		{"../docs/taskerotel.md", "EVENT  ", []string{"routes", "--config", defaultConfig, "task.failed", "order.placed", "step.completed"}},
	} {
		text, err := os.ReadFile(picture.page)
		require.NoError(t, err)
		_, rest, found := strings.Cut(string(text), "\n"+picture.begins)
		require.True(t, found, picture.begins)
		shown, _, found := strings.Cut(picture.begins+rest, "```")
		require.True(t, found, picture.begins)
		status, printed, problems := tool.run(picture.command...)
		require.Zero(t, status, problems)
		for line := range strings.Lines(shown) {
			if strings.TrimSpace(line) == "⋮" { // a page may omit lines
				continue
			}
			_, printed, found = strings.Cut(printed, line)
			assert.True(t, found, "%s: taskerotel %s does not print, here:\n%s", picture.page, strings.Join(picture.command, " "), line)
		}
	}
}

// withoutPipelines returns the path of a config.yaml without pipelines.
func withoutPipelines(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(defaultConfig)
	require.NoError(t, err)
	before, _, found := strings.Cut(string(text), "\n  pipelines:\n")
	require.True(t, found, "the pipelines stand at the end")
	path := filepath.Join(t.TempDir(), "bare.yaml")
	require.NoError(t, os.WriteFile(path, []byte(before), 0o600))
	return path
}

// isConfiguration distinguishes a collector's configuration from other YAML.
func isConfiguration(sections map[string]any) bool {
	for name := range sections {
		switch name {
		case "receivers", "processors", "connectors", "exporters", "extensions", "service":
		default:
			return false
		}
	}
	return len(sections) > 0
}

// pages returns all Markdown files of the repository.
func pages(t *testing.T) []string {
	var found []string
	require.NoError(t, filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if name := entry.Name(); entry.IsDir() && (name == "node_modules" || name == "testdata" || name == "data" || name == ".git") {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, ".md") {
			found = append(found, path)
		}
		return err
	}))
	return found
}
