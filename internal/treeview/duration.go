// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package treeview

import (
	"fmt"
	"strings"
	"time"
)

// Duration formats a duration in at most seven columns.
func Duration(nanos int64) string {
	d := time.Duration(nanos)
	switch {
	case d <= 0:
		return "0"
	case d < time.Microsecond:
		return fmt.Sprintf("%dns", d)
	case d < time.Millisecond:
		return fmt.Sprintf("%dµs", d.Microseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1fms", float64(d)/1e6)
	case d < time.Second-500*time.Microsecond:
		return fmt.Sprintf("%dms", d.Round(time.Millisecond).Milliseconds())
	case d < time.Minute-5*time.Millisecond:
		return fmt.Sprintf("%.2fs", d.Seconds())
	}
	d = d.Round(time.Second)
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 24*time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	d = d.Round(time.Hour)
	return fmt.Sprintf("%dd%02dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

// TickText formats a time for an axis.
func TickText(nanos int64) string {
	if nanos == 0 {
		return "0"
	}
	text := time.Duration(nanos).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// TickStep returns the smallest round interval that divides total into at most that many intervals.
func TickStep(total int64, intervals int) int64 {
	least := total / int64(intervals)
	for step := int64(1); step <= int64(10*time.Second); step *= 10 {
		for _, by := range [...]int64{1, 2, 5} {
			if step*by >= least && step*by < int64(time.Minute) {
				return step * by
			}
		}
	}
	const minute, hour = int64(time.Minute), int64(time.Hour)
	for _, step := range [...]int64{
		minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute,
		hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, 24 * hour, 48 * hour, 120 * hour,
	} {
		if step >= least {
			return step
		}
	}
	days := least/(240*hour) + 1
	return days * 240 * hour
}
