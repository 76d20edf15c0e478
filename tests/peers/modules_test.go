// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// requirement matches a line of go.mod or of a builder's manifest.
var requirement = regexp.MustCompile(`(?m)^\s+(?:- gomod: )?(\S+\.\S+/\S+) (v\S+)`)

// TestModulesAgree checks that the Go modules of this repository and the manifests of the collectors require every module
// at the same version.
func TestModulesAgree(t *testing.T) {
	versions := map[string]string{}
	for _, file := range []string{
		"../../go.mod", "../../builder-config.yaml", "../../cmd/otelcol-tasker/go.mod", "go.mod",
		"collector/go.mod", "collector/builder-config.yaml", "../../tools/go.mod",
	} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		found := requirement.FindAllStringSubmatch(string(text), -1)
		require.Greater(t, len(found), 5, file)
		for _, line := range found {
			module, version := line[1], line[2]
			alone := strings.Contains(file, "collector/") || strings.Contains(file, "tools/") // built separately, with the same collector version
			if module == "github.com/tasker-otel/otelcol-tasker" || alone && !strings.Contains(module, "/collector") && !strings.Contains(module, "collector-contrib") {
				continue
			}
			if known, there := versions[module]; there {
				assert.Equal(t, known, version, "%s in %s", module, file)
			}
			versions[module] = version
		}
	}
}
