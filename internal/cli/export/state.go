// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile"
)

// state is kept in OUTPUT.state for the next export.
type state struct {
	Version    int       `json:"version"`
	ExportedAt time.Time `json:"exported_at"`
	Instances  []string  `json:"instances"`
	// Counters are the values of counters and the counts of histograms and summaries, by series.
	Counters map[string]float64 `json:"counters"`
}

const stateVersion = 1

func statePath(output string) string { return output + ".state" }

// readState returns nil if there was no export before.
func readState(output string) (*state, error) {
	content, err := fsfile.Read(statePath(output))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s := &state{}
	if err := json.Unmarshal(content, s); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", statePath(output), err)
	}
	if s.Version != stateVersion {
		return nil, fmt.Errorf("%s is of version %d, this program's is %d", statePath(output), s.Version, stateVersion)
	}
	return s, nil
}

// LastExport returns when the file was last exported; the zero time if it never was.
func LastExport(output string) (time.Time, error) {
	s, err := readState(output)
	if s == nil {
		return time.Time{}, err
	}
	return s.ExportedAt, nil
}

func (s *state) write(output string) error {
	return fsfile.Atomic{Path: statePath(output)}.Replace(func(w io.Writer) error { return json.NewEncoder(w).Encode(s) })
}

// countersOf returns the values that must not decrease.
func countersOf(families []*dto.MetricFamily) map[string]float64 {
	counters := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			switch {
			case m.Counter != nil:
				counters[seriesName(f.GetName(), m.Label)] = m.Counter.GetValue()
			case m.Histogram != nil:
				counters[seriesName(f.GetName()+"_count", m.Label)] = float64(m.Histogram.GetSampleCount())
			case m.Summary != nil:
				counters[seriesName(f.GetName()+"_count", m.Label)] = float64(m.Summary.GetSampleCount())
			}
		}
	}
	return counters
}

// seriesName returns a series in Prometheus notation.
func seriesName(name string, pairs []*dto.LabelPair) string {
	if len(pairs) == 0 {
		return name
	}
	parts := make([]string, len(pairs))
	for i, pair := range pairs {
		parts[i] = fmt.Sprintf("%s=%q", pair.GetName(), pair.GetValue())
	}
	return name + "{" + strings.Join(parts, ",") + "}"
}

// compare warns of unexpected changes between two exports.
func (r *Report) compare(before, now *state, expiry time.Duration) {
	if interval := now.ExportedAt.Sub(before.ExportedAt); expiry > 0 && interval > expiry {
		r.warn(WarnLongInterval, "the last export was %s ago, but a collector removes a series after %s (--series-expiry): series that "+
			"appeared and expired in between are in no file; export more often", interval.Round(time.Second), expiry)
	}
	var fell, gone []string
	for _, series := range slices.Sorted(maps.Keys(before.Counters)) {
		was := before.Counters[series]
		is, there := now.Counters[series]
		switch {
		case !there:
			gone = append(gone, series)
		case is < was:
			fell = append(fell, fmt.Sprintf("%s from %v to %v", series, was, is))
		}
	}
	cause := causeOf(before.Instances, now.Instances)
	if len(fell) > 0 {
		r.warn(WarnCounterBackwards, "%d counters went backwards since %s, such as %s: %s", len(fell),
			before.ExportedAt.Format(time.RFC3339), fell[0], cause)
	}
	if len(gone) > 0 {
		r.warn(WarnSeriesGone, "%d series of the last export are gone, such as %s: they expired, or %s", len(gone), gone[0], cause)
	}
}

// causeOf returns the likely reason for decreased values.
func causeOf(before, now []string) string {
	var missing []string
	for _, instance := range before {
		if !slices.Contains(now, instance) {
			missing = append(missing, instance)
		}
	}
	if len(missing) == 0 {
		return "a collector has restarted its counters under the same instance id"
	}
	return fmt.Sprintf("%d instances of the last export are gone (such as %s); they were stopped, or restarted "+
		"without storage, and their counts are lost", len(missing), missing[0])
}
