// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package printable_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tasker-otel/otelcol-tasker/internal/printable"
)

func TestCut(t *testing.T) {
	for limit, want := range []string{"", "a", "a", "aü", "aü", "aü", "aü東", "aü東!", "aü東!"} {
		assert.Equal(t, want, printable.Cut("aü東!", limit), "%d bytes", limit)
	}
	assert.Empty(t, printable.Cut("\x80\x80", 1), "no character begins")
}
