// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package send

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/printable"
)

// Write writes the summary as text.
func (s *Summary) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "accepted     %d of %d events\n", s.Accepted, s.Read)
	if s.Refused > 0 {
		fmt.Fprintf(&b, "refused      %d\n", s.Refused)
		list(&b, s.Refusals, s.Refused, "more refused")
	}
	if s.Undelivered > 0 {
		fmt.Fprintf(&b, "undelivered  %d\n", s.Undelivered)
		list(&b, s.Lost, len(s.Lost), "")
	}
	if s.Unsent > 0 {
		fmt.Fprintf(&b, "not sent     %d that were read\n", s.Unsent)
	}
	if s.Retries > 0 {
		fmt.Fprintf(&b, "retried      %d requests, the last because: %s\n", s.Retries, printable.Line(s.LastProblem))
	}
	fmt.Fprintf(&b, "duration     %s, %.0f events/s\n", s.Duration.Round(time.Millisecond), s.Rate())
	if s.ReadError != nil {
		fmt.Fprintf(&b, "stopped      %v\n", s.ReadError)
	}
	if s.GaveUp != "" {
		fmt.Fprintf(&b, "stopped      %s\n", printable.Line(s.GaveUp))
		if s.Remedy != "" {
			fmt.Fprintf(&b, "remedy       %s\n", s.Remedy)
		}
	}
	if s.Interrupted {
		b.WriteString("stopped      interrupted\n")
	}
	if !s.Complete() && s.Refused+s.Undelivered < s.Read {
		b.WriteString("Sending the same files again is safe: the collector detects duplicates.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func list(b *strings.Builder, shown []Refusal, of int, more string) {
	for _, r := range shown {
		fmt.Fprintf(b, "  %s\n", printable.Line(r.String()))
	}
	if rest := of - len(shown); rest > 0 {
		fmt.Fprintf(b, "  … and %d %s\n", rest, more)
	}
}
