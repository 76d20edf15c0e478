// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package sqltext

import (
	"regexp"
	"strings"
)

// lists matches redacted lists of literals after IN.
var lists = regexp.MustCompile(`(?i)(\bIN ?\( ?)-?\?(?: ?, ?-?\?)+`)

// foldLists reduces each redacted list after IN to one placeholder, so that the text does not depend on the number of
// values: IN (?, ?, ?) becomes IN (?).
func foldLists(sql string) string {
	if !strings.Contains(sql, "?,") && !strings.Contains(sql, "? ,") {
		return sql
	}
	return lists.ReplaceAllString(sql, "${1}?")
}
