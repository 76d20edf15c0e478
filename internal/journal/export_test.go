// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import "time"

// NeverRetry leaves it to Commit to try again what failed.
func (j *Journal) NeverRetry() { j.retryAfter = time.Hour }
