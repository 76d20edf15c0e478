// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import "time"

// NeverRetry disables the automatic retry; only Commit retries.
func (j *Journal) NeverRetry() { j.retryAfter = time.Hour }
