// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package fsfile

// SyncDirectory does nothing: Windows has no such call; its file system journals renames.
func SyncDirectory(string) error { return nil }
