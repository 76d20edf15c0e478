// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package atomicfile

// SyncDirectory does nothing: Windows has no such call, its file system logs renames itself.
func SyncDirectory(string) error { return nil }
