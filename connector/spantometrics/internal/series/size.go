// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import "github.com/tasker-otel/otelcol-tasker/internal/bounded/shares"

const (
	// seriesBytes is what a series takes in memory besides its texts and numbers.
	seriesBytes = 300
	// lineBytes is what each line of a scrape has besides the texts of its series: the labels of instance and scope, the
	// bucket and the value.
	lineBytes = 140
	// labelBytes is what a scrape adds to the name and the value of a label.
	labelBytes = 4
	// exemplarBytes is an exemplar in a scrape, with the ids of its trace and span.
	exemplarBytes = 150
	// bucketBytes is a bucket of an exponential histogram, which no text form has.
	bucketBytes = 8
)

// lines returns how many lines the metric's series takes in a scrape.
func (d *Definition) lines() int {
	const sumAndCount = 3 // and when it was created
	switch {
	case d.Kind != KindHistogram:
		return 1
	case d.Exponential > 0:
		return sumAndCount
	}
	return len(d.Bounds) + 1 + sumAndCount
}

// size estimates what a series takes: its text in a scrape of Prometheus, where its labels stand on every line, and the
// memory that has no text.
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

// Size returns how many series there are and what they take, as it is estimated.
func (r *Registry) Size() shares.Size {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.room.Used()
}
