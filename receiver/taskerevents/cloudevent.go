// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

// cloudEventOf returns the CloudEvent whose attributes are in headers, with the body as data (binary mode).
func cloudEventOf(header http.Header) *wire.CloudEvent {
	event := &wire.CloudEvent{DataContentType: strings.TrimSpace(header.Get("Content-Type"))}
	for name, values := range header {
		name = strings.ToLower(name)
		if attribute, is := strings.CutPrefix(name, wire.HeaderPrefix); is && len(values) > 0 {
			event.Set(attribute, headerText(values[0]))
		}
	}
	return event
}

// headerText decodes an attribute in a header: it may be quoted, and is percent-encoded beyond ASCII. Invalid escapes are kept
// unchanged.
func headerText(value string) string {
	value = strings.TrimSpace(value)
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		value = unquote(value[1 : len(value)-1])
	}
	if plain, err := url.PathUnescape(value); err == nil {
		return plain
	}
	return value
}

// unquote removes the backslashes of a quoted string.
func unquote(value string) string {
	if !strings.Contains(value, `\`) {
		return value
	}
	var plain strings.Builder
	escaped := false
	for _, c := range []byte(value) {
		if escaped = c == '\\' && !escaped; !escaped {
			plain.WriteByte(c)
		}
	}
	return plain.String()
}
