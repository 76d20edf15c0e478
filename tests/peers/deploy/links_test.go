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
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	named   = regexp.MustCompile(`<a id="([^"]+)">`)
	fenced  = regexp.MustCompile("(?ms)^```.*?^```")
)

// anchors returns the anchors of a page: its own, and those that GitHub derives from headings.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, match := range named.FindAllStringSubmatch(text, -1) {
		found[match[1]] = true
	}
	for _, match := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		anchor := strings.ToLower(strings.TrimSpace(match[1]))
		anchor = regexp.MustCompile(`[^\p{L}\p{N}\- _]`).ReplaceAllString(anchor, "")
		found[strings.ReplaceAll(anchor, " ", "-")] = true
	}
	return found
}

// TestLinks checks that the targets of links within the repository exist, including anchors.
func TestLinks(t *testing.T) {
	var pages []string
	for _, folder := range []string{"../README.md", "../CONTRIBUTING.md", "../CHANGELOG.md", "../docs", "../deploy", "../cmd", "../examples",
		"../receiver", "../processor", "../connector", "../exporter"} {
		require.NoError(t, filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if strings.HasSuffix(path, ".md") && !strings.Contains(path, "node_modules") {
				pages = append(pages, path)
			}
			return err
		}))
	}
	require.NotEmpty(t, pages)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, match := range link.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			path := page
			if target != "" {
				path = filepath.Join(filepath.Dir(page), target)
			}
			info, err := os.Stat(path)
			if !assert.NoError(t, err, "%s links to %s", page, match[1]) || anchor == "" || info.IsDir() {
				continue
			}
			linked, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.True(t, anchors(string(linked))[anchor], "%s links to %s, and there is no such section", page, match[1])
		}
	}
}
