// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package buildversion

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRead(t *testing.T) {
	platform := runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")"
	repository := func(version, modified string) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "7af5dcf0123456789abcdef0123456789abcdef0"},
			{Key: "vcs.time", Value: "2026-06-01T23:30:00-02:00"},
			{Key: "vcs.modified", Value: modified},
		}}
	}
	for name, test := range map[string]struct {
		linked  string
		build   *debug.BuildInfo
		version string
		line    string
	}{
		"a tag":           {build: repository("v1.2.3", "false"), version: "1.2.3", line: "1.2.3 (commit 7af5dcf01234, 2026-06-02, "},
		"after a tag":     {build: repository("v1.2.4-0.20260602013000-7af5dcf01234", "false"), version: "1.2.4-0.20260602013000-7af5dcf01234", line: "1.2.4-0.20260602013000-7af5dcf01234 (commit 7af5dcf01234, 2026-06-02, "},
		"with changes":    {build: repository("v1.2.3+dirty", "true"), version: "1.2.3", line: "1.2.3 (commit 7af5dcf01234 with changes, 2026-06-02, "},
		"go install":      {build: &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, version: "1.2.3", line: "1.2.3 ("},
		"no repository":   {build: &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, version: Unknown, line: Unknown + " ("},
		"nothing":         {version: Unknown, line: Unknown + " ("},
		"linked":          {linked: "v1.2.3|0123abc|2026-06-01T12:00:00Z", build: repository("v9.9.9", "true"), version: "1.2.3", line: "1.2.3 (commit 0123abc, 2026-06-01, "},
		"linked, changed": {linked: "1.2.4-pre7|7af5dcf01234567|2026-06-01T12:00:00Z|dirty", version: "1.2.4-pre7", line: "1.2.4-pre7 (commit 7af5dcf01234 with changes, 2026-06-01, "},
		"linked in parts": {linked: "1.2.3", version: "1.2.3", line: "1.2.3 ("},
	} {
		t.Run(name, func(t *testing.T) {
			info := read(test.linked, test.build)
			assert.Equal(t, test.version, info.Version)
			assert.Equal(t, test.line+platform, info.Line())
		})
	}
	assert.NotEmpty(t, Read().Version)
}
