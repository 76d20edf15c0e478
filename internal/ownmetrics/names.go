// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package ownmetrics reads a collector's internal metrics. It has no state.
package ownmetrics

import (
	"regexp"
	"strings"
)

// Prefix is the prefix of the collector's internal metrics.
const Prefix = "otelcol_"

// losing matches the names of metrics that count lost, rejected or altered data.
var losing = regexp.MustCompile(`refused|dropped|fail|skipped|lost|evict|incomplete|_cut|overflow|truncated|unremembered|set_aside|expired|impossible|fallback`)

// Name returns an internal metric's name without its common prefix and suffixes.
func Name(name string) string {
	return strings.TrimSuffix(strings.TrimPrefix(name, Prefix), "_total")
}

// IsLoss reports whether a counter of that name counts lost, rejected or altered data.
func IsLoss(name string) bool { return losing.MatchString(name) }
