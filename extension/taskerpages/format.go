// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tasker-otel/otelcol-tasker/internal/printable"
	"github.com/tasker-otel/otelcol-tasker/internal/treeview"
)

// Maximum lengths of texts on a page, in characters. Longer texts end with an ellipsis; the task's page shows more.
const (
	longestName    = 80
	longestMessage = 200
	longestText    = 16_000
)

// cut returns an application's text as one safe line of at most that length.
func cut(text string, most int) string {
	if len(text) > 8*most {
		text = strings.ToValidUTF8(text[:8*most], "")
	}
	return shorten(printable.Line(text), most)
}

func shorten(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	n := 0
	for i := range text {
		if n++; n == most {
			return text[:i] + "…"
		}
	}
	return text
}

func name(text string) string    { return cut(text, longestName) }
func message(text string) string { return cut(text, longestMessage) }

// lines returns a safe text of several lines, such as a backtrace.
func lines(text string) string {
	if len(text) > longestText {
		text = strings.ToValidUTF8(text[:longestText], "") + "\n…"
	}
	all := strings.Split(text, "\n")
	for i := range all {
		indent := len(all[i]) - len(strings.TrimLeft(all[i], " "))
		all[i] = strings.Repeat(" ", min(indent, 16)) + printable.Line(all[i])
	}
	return strings.TrimSpace(strings.Join(all, "\n"))
}

const narrow = "\u202f" // narrow no-break space

// span formats a duration in nanoseconds: 407 ms, 6.21 s, 2 h 11 m.
func span(nanos int64) string {
	text := treeview.Duration(max(0, nanos))
	var out strings.Builder
	for i := range len(text) {
		c := text[i]
		digit := c >= '0' && c <= '9' || c == '.'
		if i > 0 {
			before := text[i-1]
			wasDigit := before >= '0' && before <= '9' || before == '.'
			if before < 0x80 && (wasDigit != digit) && c < 0xC0 || wasDigit && c >= 0xC0 {
				out.WriteString(narrow)
			}
		}
		out.WriteByte(c)
	}
	return out.String()
}

func duration(d time.Duration) string { return span(int64(d)) }

// words formats a duration for a sentence, in whole units.
func words(d time.Duration) string {
	if d = d.Round(time.Second); d < time.Minute {
		return strconv.Itoa(int(d.Seconds())) + narrow + "s"
	}
	return duration(d)
}

// ago formats how long ago something was.
func ago(d time.Duration) string {
	if d < time.Second {
		return "now"
	}
	return words(d) + " ago"
}

// number formats a number with thousands separators.
func number[N ~int | ~int64](n N) string {
	text := strconv.FormatInt(int64(n), 10)
	start := 0
	if text[0] == '-' {
		start = 1
	}
	for i := len(text) - 3; i > start; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func percent(part, whole float64) string {
	if whole <= 0 || math.IsNaN(part) {
		return "–"
	}
	share := part / whole * 100
	if share > 0 && share < 10 {
		return fmt.Sprintf("%.1f%s%%", share, narrow)
	}
	return fmt.Sprintf("%.0f%s%%", share, narrow)
}

// quantile returns the nearest-rank quantile; false if there are no values.
func quantile(sorted []time.Duration, q float64) (time.Duration, bool) {
	if len(sorted) == 0 {
		return 0, false
	}
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1], true
}

func quantileText(durations []time.Duration, q float64) string {
	sorted := slices.Sorted(slices.Values(durations))
	if d, ok := quantile(sorted, q); ok {
		return duration(d)
	}
	return "–"
}

func clock(nanos int64) string {
	return time.Unix(0, nanos).UTC().Format("2006-01-02 15:04:05.000 UTC")
}

func timeOfDay(at time.Time) string { return at.UTC().Format("15:04") }

// spark returns a small chart. label is its accessible description.
func spark(series []int64, label, class string, width int) template.HTML {
	const height, margin = 24, 2
	top := int64(1)
	for _, v := range series {
		top = max(top, v)
	}
	var points strings.Builder
	for i, v := range series {
		x := float64(width)
		if len(series) > 1 {
			x = float64(i) / float64(len(series)-1) * float64(width)
		}
		y := height - margin - float64(v)/float64(top)*(height-2*margin)
		fmt.Fprintf(&points, "%.1f,%.1f ", x, y)
	}
	line := strings.TrimSpace(points.String())
	area := ""
	if len(series) > 1 {
		area = fmt.Sprintf(`<polygon class="area" points="0,%d %s %d,%d"/>`, height, line, width, height)
	}
	return template.HTML(fmt.Sprintf(`<svg class="spark %s" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">%s<polyline points="%s"/></svg>`, //nolint:gosec // the label is escaped
		class, width, height, width, height, html.EscapeString(label), area, line))
}

var tags = regexp.MustCompile(`<[^>]*>`)

// withoutMarkup removes the markup from one of our own sentences.
func withoutMarkup(text template.HTML) string {
	return html.UnescapeString(tags.ReplaceAllString(string(text), ""))
}
