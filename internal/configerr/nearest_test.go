// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package configerr_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

func TestNearest(t *testing.T) {
	names := []string{"storage", "storage_path", "sampling_rate"}
	for name, want := range map[string]struct {
		nearest  string
		distance int
	}{
		"storage":       {"storage", 0},
		"storge":        {"storage", 1},
		"Storage":       {"storage", 1},
		"sampling-rat":  {"sampling_rate", 2},
		"storage_pathe": {"storage_path", 1},
		"":              {"storage", 7},
	} {
		got, distance := configerr.Nearest(name, names)
		assert.Equal(t, want.nearest, got, name)
		assert.Equal(t, want.distance, distance, name)
	}
	got, distance := configerr.Nearest("storage", nil)
	assert.Empty(t, got)
	assert.Zero(t, distance)
}
