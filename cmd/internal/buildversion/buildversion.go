// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package buildversion reports the version, commit and date from which a binary was built. The version comes from the Git
// tag and is not in the sources.
package buildversion

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// linked is the output of scripts/version.sh, VERSION|COMMIT|DATE with an optional |dirty, set by the linker (-X, see the
// Makefile).
var linked string

// Unknown is the version of a build without a known tag or commit.
const Unknown = "0.0.0-unknown"

// Info describes a build. Commit and Date are empty if unknown.
type Info struct {
	Version string
	Commit  string
	// Date is the commit's date, for reproducible builds.
	Date string
	// Modified is set if the tree had uncommitted changes.
	Modified bool
}

// Read returns the build information set by the linker, or else recorded by Go.
func Read() Info {
	build, _ := debug.ReadBuildInfo()
	return read(linked, build)
}

func read(linked string, build *debug.BuildInfo) Info {
	if linked != "" {
		fields := append(strings.Split(linked, "|"), "", "", "")
		return Info{Version: number(fields[0]), Commit: fields[1], Date: fields[2], Modified: fields[3] == "dirty"}
	}
	info := Info{Version: Unknown}
	if build == nil {
		return info
	}
	info.Version = number(build.Main.Version)
	for _, setting := range build.Settings {
		switch setting.Key {
		case "vcs.revision":
			info.Commit = setting.Value
		case "vcs.time":
			info.Date = setting.Value
		case "vcs.modified":
			info.Modified = setting.Value == "true"
		}
	}
	return info
}

// number returns a version without its leading v and without build metadata.
func number(version string) string {
	version, _, _ = strings.Cut(strings.TrimPrefix(version, "v"), "+")
	if version == "" || version == "(devel)" {
		return Unknown
	}
	return version
}

// Line returns the build in one line: version, commit, date, compiler and platform.
func (i Info) Line() string {
	var parts []string
	if i.Commit != "" {
		commit := "commit " + i.Commit[:min(12, len(i.Commit))]
		if i.Modified {
			commit += " with changes"
		}
		parts = append(parts, commit)
	}
	if date, err := time.Parse(time.RFC3339, i.Date); err == nil {
		parts = append(parts, date.UTC().Format(time.DateOnly))
	}
	parts = append(parts, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
	return fmt.Sprintf("%s (%s)", i.Version, strings.Join(parts, ", "))
}
