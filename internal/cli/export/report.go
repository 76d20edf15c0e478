// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package export

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/printable"
)

// Status is the outcome of an export.
type Status string

// The statuses, each with its own exit code.
const (
	StatusWritten     Status = "written"
	StatusFailed      Status = "failed"      // a file could not be read or written
	StatusUnreachable Status = "unreachable" // a target could not be read, nothing was written
	StatusIncomplete  Status = "incomplete"  // written without the targets that could not be read
	StatusLocked      Status = "locked"      // another export writes the file
	StatusUnmergeable Status = "unmergeable" // the targets are inconsistent, nothing was written
)

// Warning codes.
const (
	WarnCounterBackwards = "counter_backwards"
	WarnSeriesGone       = "series_gone"
	WarnLongInterval     = "interval_longer_than_expiry"
	WarnMerge            = "merge"
	WarnSameInstance     = "same_instance"
	WarnState            = "state"
	WarnTarget           = "target"
	WarnEmpty            = "empty"
)

// Report describes an export.
type Report struct {
	Status   Status         `json:"status"`
	ExitCode int            `json:"exit_code"`
	Error    string         `json:"error,omitempty"`
	Format   Format         `json:"format"`
	Output   string         `json:"output"`
	At       time.Time      `json:"exported_at"`
	Previous *time.Time     `json:"previous_export_at,omitempty"`
	Seconds  float64        `json:"duration_seconds"`
	Bytes    int64          `json:"bytes"`
	Metrics  int            `json:"metrics"`
	Series   int            `json:"series"`
	Targets  []TargetReport `json:"targets"`
	Warnings []Warning      `json:"warnings"`
}

// TargetReport describes the scrape of a target.
type TargetReport struct {
	URL       string   `json:"url"`
	Address   string   `json:"address,omitempty"`
	Instances []string `json:"instances,omitempty"`
	Series    int      `json:"series"`
	Attempts  int      `json:"attempts"`
	Error     string   `json:"error,omitempty"`
}

// Warning does not stop an export but needs attention.
type Warning struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (r *Report) warn(code, format string, args ...any) {
	r.Warnings = append(r.Warnings, Warning{code, fmt.Sprintf(format, args...)})
}

// fail sets the status and the error.
func (r *Report) fail(status Status, err error) {
	r.Status, r.Error = status, err.Error()
}

// Written reports whether a new file was written.
func (r *Report) Written() bool { return r.Status == StatusWritten || r.Status == StatusIncomplete }

// WriteJSON writes the report as one line.
func (r *Report) WriteJSON(w io.Writer) error { return json.NewEncoder(w).Encode(r) }

// WriteText writes the report as text: one line for the result and one per warning, whatever the targets' responses
// contain.
func (r *Report) WriteText(w io.Writer) error {
	var out strings.Builder
	if r.Written() {
		fmt.Fprintf(&out, "%s: %d series of %d metrics from %d of %d targets to %s (%d bytes, %s)\n", r.Status, r.Series, r.Metrics,
			r.read(), len(r.Targets), r.Output, r.Bytes, time.Duration(r.Seconds*float64(time.Second)).Round(time.Millisecond))
	}
	if r.Error != "" {
		fmt.Fprintf(&out, "%s: %s\n", r.Status, printable.Line(r.Error))
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(&out, "warning %s: %s\n", warning.Code, printable.Line(warning.Message))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// WriteTargets writes a line per target: what was read, or the error.
func (r *Report) WriteTargets(w io.Writer) error {
	var out strings.Builder
	for _, target := range r.Targets {
		if target.Error != "" { // it has the address and the number of attempts
			fmt.Fprintf(&out, "target %s\n", printable.Line(target.Error))
			continue
		}
		what := fmt.Sprintf("%d series, %d attempts", target.Series, target.Attempts)
		if len(target.Instances) > 0 {
			what += ", instance " + strings.Join(target.Instances, ", ")
		}
		fmt.Fprintf(&out, "target %s: %s\n", printable.Line(target.URL), printable.Line(what))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (r *Report) read() int {
	n := 0
	for _, target := range r.Targets {
		if target.Error == "" {
			n++
		}
	}
	return n
}
