// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package sqltext

import (
	"regexp"
	"strings"
)

// lists are removed literals behind IN.
var lists = regexp.MustCompile(`(?i)(\bIN ?\( ?)-?\?(?: ?, ?-?\?)+`)

// foldLists makes one of each list of removed literals behind IN, so that a query is one text however many ids it asks
// for: IN (?, ?, ?) becomes IN (?).
func foldLists(sql string) string {
	if !strings.Contains(sql, "?,") && !strings.Contains(sql, "? ,") {
		return sql
	}
	return lists.ReplaceAllString(sql, "${1}?")
}
