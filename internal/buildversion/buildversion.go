// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package buildversion says which version, commit and date a binary was built from. There is no version number in the
// sources: it comes from the tag.
package buildversion

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// linked is what scripts/version.sh prints, VERSION|COMMIT|DATE and perhaps |dirty. The linker sets it (-X, see the
// Makefile), and nothing else does.
var linked string

// Unknown is the version of a build that knows of no tag and no commit.
const Unknown = "0.0.0-unknown"

// Info is what is known of a build. Commit and Date are empty where they are not known.
type Info struct {
	Version string
	Commit  string
	// Date is that of the commit, so that two builds of one commit are the same.
	Date string
	// Modified is set when the tree had changes that are in no commit.
	Modified bool
}

// Read returns what this binary knows of its build: what the linker was given, else what Go recorded of the repository.
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

// number returns the version without the v of its tag and without build metadata.
func number(version string) string {
	version, _, _ = strings.Cut(strings.TrimPrefix(version, "v"), "+")
	if version == "" || version == "(devel)" {
		return Unknown
	}
	return version
}

// Line describes the build in one line: the version, then commit, date, compiler and platform.
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
