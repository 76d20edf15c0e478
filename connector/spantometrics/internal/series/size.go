// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import "github.com/tasker-otel/otelcol-tasker/internal/bounded/shares"

const (
	// seriesBytes is a series' memory besides its texts and numbers.
	seriesBytes = 300
	// lineBytes is the length of a scrape's line besides the texts of the series: the labels of instance and scope, the
	// bucket and the value.
	lineBytes = 140
	// labelBytes is what a scrape adds to the name and value of a label.
	labelBytes = 4
	// exemplarBytes is an exemplar in a scrape, with its trace and span IDs.
	exemplarBytes = 150
	// bucketBytes is a bucket of an exponential histogram, which has no text form.
	bucketBytes = 8
)

// lines returns the number of lines of the metric's series in a scrape.
func (d *Definition) lines() int {
	const sumAndCount = 3 // and the creation time
	switch {
	case d.Kind != KindHistogram:
		return 1
	case d.Exponential > 0:
		return sumAndCount
	}
	return len(d.Bounds) + 1 + sumAndCount
}

// size estimates the size of a series: its text in a Prometheus scrape, where its labels are on every line, and the memory
// without a text form.
func (r *Registry) size(app *application, metric int, labels []Label) int64 {
	definition := &r.definitions[metric]
	line := lineBytes + len(definition.Name) + len(app.namespace) + len(app.service)
	for _, label := range labels {
		if label.Value != "" {
			line += labelBytes + len(label.Name) + len(label.Value)
		}
	}
	bytes := seriesBytes + definition.lines()*line + int(definition.Exponential)*bucketBytes
	if definition.Kind == KindHistogram {
		bytes += r.options.Exemplars * exemplarBytes
	}
	return int64(bytes)
}

// Size returns the number of series and their estimated bytes.
func (r *Registry) Size() shares.Size {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.room.Used()
}
