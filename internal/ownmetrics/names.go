// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package ownmetrics knows the names of the metrics that a collector exposes of itself.
package ownmetrics

import (
	"regexp"
	"strings"
)

// Prefix of the collector's own metrics.
const Prefix = "otelcol_"

// losing matches the names of metrics that count what did not go through as it came.
var losing = regexp.MustCompile(`refused|dropped|fail|skipped|lost|evict|incomplete|_cut|overflow|truncated|unremembered|set_aside|expired|impossible|fallback`)

// Name returns the name of one of the collector's own metrics, without what all of them begin with or may end with.
func Name(name string) string {
	return strings.TrimSuffix(strings.TrimPrefix(name, Prefix), "_total")
}

// IsLoss reports whether a counter of that name counts what did not go through as it came.
func IsLoss(name string) bool { return losing.MatchString(name) }
