// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package fsfile

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
)

// longestName is the longest file name on usual file systems.
const longestName = 255

// Companion returns the path of the companion with a suffix.
func Companion(path, suffix string) string {
	directory, name := filepath.Split(path)
	return filepath.Join(directory, ShortName(name, suffix)+suffix)
}

// ShortName returns the name, or its digest if it would be too long with the suffix.
func ShortName(name, suffix string) string {
	if len(name) <= longestName-len(suffix) {
		return name
	}
	digest := sha256.Sum256([]byte(name))
	return hex.EncodeToString(digest[:])
}
