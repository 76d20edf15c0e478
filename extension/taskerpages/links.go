// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// placeholders are the placeholders of links.
var placeholders = []string{"{trace_id}", "{task_id}", "{task_name}", "{correlation_id}", "{service}", "{start_ms}", "{end_ms}"}

var placeholder = regexp.MustCompile(`\{[a-z_]*\}`)

// outLink is a link to another tool.
type outLink struct{ Name, URL string }

// linkValues are the values of placeholders. They come from applications and are escaped.
type linkValues struct {
	trace, task, name, correlation, service string
	start, end                              int64 // Unix milliseconds
}

// fill omits links that need a value that the task lacks.
func (v *linkValues) fill(links []Link) []outLink {
	values := map[string]string{
		"{trace_id}": v.trace, "{task_id}": v.task, "{task_name}": v.name, "{correlation_id}": v.correlation, "{service}": v.service,
		"{start_ms}": strconv.FormatInt(v.start, 10), "{end_ms}": strconv.FormatInt(v.end, 10),
	}
	var filled []outLink
	for _, link := range links {
		missing := false
		address := placeholder.ReplaceAllStringFunc(link.URL, func(word string) string {
			missing = missing || values[word] == ""
			return strings.ReplaceAll(url.QueryEscape(values[word]), "+", "%20")
		})
		if !missing {
			filled = append(filled, outLink{link.Name, address})
		}
	}
	return filled
}
