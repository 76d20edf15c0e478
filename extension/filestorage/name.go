// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package filestorage

import (
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/component"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile"
)

// fileName returns the name of a component's file in contrib's file_storage. The name is not exported there; a test compares them.
func fileName(kind component.Kind, id component.ID, name string) string {
	parts := []string{strings.ToLower(kind.String()), id.Type().String(), id.Name()}
	if name != "" {
		parts = append(parts, name)
	}
	var safe strings.Builder
	for _, r := range strings.Join(parts, "_") {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._-", r):
			safe.WriteRune(r)
		default:
			fmt.Fprintf(&safe, "~%04X", r)
		}
	}
	return fsfile.ShortName(safe.String(), "")
}
