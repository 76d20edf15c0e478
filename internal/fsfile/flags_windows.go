// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package fsfile

// flags are none: Windows has no such flags, nor pipes in its file system.
const flags = 0
