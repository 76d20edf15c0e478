// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"debug/elf"
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestStatic checks that the built binary needs no loader and no library, so that an image needs nothing else.
func TestStatic(t *testing.T) {
	if os.Getenv("TASKER_BIN") == "" {
		t.Skip("needs the binary of make build: set TASKER_BIN")
	}
	file, err := elf.Open(binary)
	var other *elf.FormatError
	if errors.As(err, &other) {
		t.Skip("not a binary of Linux")
	}
	require.NoError(t, err)
	defer file.Close()
	for _, segment := range file.Progs {
		assert.NotEqual(t, elf.PT_INTERP, segment.Type, "it asks for a loader")
	}
	libraries, err := file.ImportedLibraries()
	require.NoError(t, err)
	assert.Empty(t, libraries)
}
