package spantometrics

import (
	"math"
	"slices"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/namecache"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
)

// maxEventNames bounds the names of events for which it is remembered which declarations they concern.
const maxEventNames = 4096

// declarations are the settings of single metrics, as they are used.
type declarations struct {
	// disabled and relabels hold an entry a metric; without a relabel its labels stay as they are.
	disabled []bool
	relabels []*relabel
	bySpan   map[string][]*declaration
	byEvent  *namecache.Cache[[]*declaration]
}

// declaration is an operator's own metric.
type declaration struct {
	metric     int
	kind       series.Kind
	event      string
	duration   bool
	value      *source
	perUnit    float64
	dimensions []dimension
	conditions []condition
}

// relabel changes the labels of a built-in metric.
type relabel struct {
	exclude    []string
	dimensions []dimension
}

// source finds an attribute by the key that the operator wrote: a payload's key may lack the prefix.
type source struct{ key, prefixed string }

func newSource(key string) source { return source{key, lifecycle.AttributePrefix + key} }

// dimension is a label and where it is from.
type dimension struct {
	source
	label, otherwise string
	unbounded        bool
}

func newDimensions(configs []Dimension, allowed []string) []dimension {
	dimensions := make([]dimension, len(configs))
	for i, config := range configs {
		d := dimension{source: newSource(config.key()), label: config.Name}
		if config.Default != nil {
			d.otherwise = *config.Default
		}
		d.unbounded = slices.Contains(allowed, config.Name) || slices.Contains(allowed, config.key())
		dimensions[i] = d
	}
	return dimensions
}

// condition is a condition as it is checked.
type condition struct {
	source
	ConditionConfig
}

// newDeclarations compiles the section metrics.
func newDeclarations(cfg *Config) *declarations {
	names := cfg.declaredNames()
	total := metricCount + len(names)
	d := &declarations{disabled: make([]bool, total), relabels: make([]*relabel, total), bySpan: map[string][]*declaration{}}
	labels := builtInLabels()
	for metric, definition := range builtInDefinitions(cfg) {
		config := cfg.Metrics[definition.Name]
		d.disabled[metric] = config.Enabled != nil && !*config.Enabled
		exclude := slices.Clone(config.ExcludeDimensions)
		for _, label := range cfg.ExcludeDimensions {
			if slices.Contains(labels[metric], label) || fromSpans(metric) {
				exclude = append(exclude, label)
			}
		}
		if len(exclude) > 0 || len(config.Dimensions) > 0 {
			d.relabels[metric] = &relabel{exclude, newDimensions(config.Dimensions, cfg.AllowUnbounded)}
		}
	}
	levels := spanLevels()
	var ofEvents []*declaration
	for i, name := range names {
		config := cfg.Metrics[name]
		if config.Enabled != nil && !*config.Enabled {
			continue
		}
		definition := config.definition(cfg, name)
		made := &declaration{
			metric: metricCount + i, kind: definition.Kind, event: config.Event, duration: config.Value == valueDuration,
			perUnit: definition.PerUnit, dimensions: newDimensions(config.Dimensions, cfg.AllowUnbounded),
		}
		if config.Value != "" && !made.duration {
			value := newSource(config.Value)
			made.value = &value
		}
		for _, c := range config.Conditions {
			made.conditions = append(made.conditions, condition{newSource(c.Key), c})
		}
		if config.Event != "" {
			ofEvents = append(ofEvents, made)
		} else {
			d.bySpan[levels[config.Span]] = append(d.bySpan[levels[config.Span]], made)
		}
	}
	d.byEvent = namecache.New(maxEventNames, func(name string) (concerned []*declaration) {
		for _, made := range ofEvents {
			if routing.Matches(made.event, name) {
				concerned = append(concerned, made)
			}
		}
		return concerned
	})
	return d
}

// count adds one to a built-in sum, under the collected labels or those that the operator wants.
func (r *recorder) count(metric int) {
	if !r.declarations.disabled[metric] {
		r.choose(metric)
		r.Count(metric)
	}
}

// observe adds a value to a built-in histogram; see count.
func (r *recorder) observe(metric int, exemplar series.Exemplar) {
	if !r.declarations.disabled[metric] {
		r.choose(metric)
		r.Observe(metric, exemplar)
	}
}

// gauge is a built-in gauge; see count.
func (r *recorder) gauge(metric int) series.Gauge {
	r.choose(metric)
	return r.Gauge(metric)
}

// choose has the labels hold that a built-in metric is to have.
func (r *recorder) choose(metric int) {
	change := r.declarations.relabels[metric]
	if change == nil {
		r.Collected()
		return
	}
	collected, derived := r.Derive()
	for _, label := range collected.All() {
		if !slices.Contains(change.exclude, label.Name) {
			derived.Add(label.Name, label.Value)
		}
	}
	r.dimensions(derived, change.dimensions)
}

// dimensions adds the operator's labels.
func (r *recorder) dimensions(labels *series.Labels, dimensions []dimension) {
	for i := range dimensions {
		d := &dimensions[i]
		value, found := r.find(&d.source)
		switch {
		case !found:
			labels.Add(d.label, d.otherwise)
		case d.unbounded:
			labels.Add(d.label, textOf(value))
		default:
			labels.Add(d.label, r.bounded(textOf(value)))
		}
	}
}

// find looks for an attribute in the event or span, and then in its resource.
func (r *recorder) find(a *source) (pcommon.Value, bool) {
	if value, found := r.attrs.Get(a.key); found {
		return value, true
	}
	if value, found := r.attrs.Get(a.prefixed); found {
		return value, true
	}
	return r.resource.Get(a.key)
}

// textOf is the text of a value, without a copy where it is one.
func textOf(value pcommon.Value) string {
	if value.Type() == pcommon.ValueTypeStr {
		return value.Str()
	}
	return value.AsString()
}

// replacedID stands in labels for values that are ids.
const replacedID = "_id"

// bounded is a label's value, unless it is an id, of which every execution would have a new one.
func (r *recorder) bounded(value string) string {
	if !looksLikeID(value) {
		return value
	}
	r.tally.replaced++
	return replacedID
}

// looksLikeID tells UUIDs, with or without hyphens, and Tasker's correlation ids.
func looksLikeID(value string) bool {
	const correlation = "tsk_"
	switch {
	case len(value) == 36:
		for i := range len(value) {
			if i == 8 || i == 13 || i == 18 || i == 23 {
				if value[i] != '-' {
					return false
				}
			} else if !isHex(value[i]) {
				return false
			}
		}
		return true
	case len(value) == 32:
		for i := range len(value) {
			if !isHex(value[i]) {
				return false
			}
		}
		return true
	}
	return len(value) >= 19 && len(value) <= 21 && value[:len(correlation)] == correlation && value[len(value)-7] == '_'
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

// measureDeclared measures the operator's own metrics on the event or span whose attributes are r.attrs. took is the span's
// duration, or negative.
func (r *recorder) measureDeclared(list []*declaration, exemplar series.Exemplar, took int64) {
	for _, d := range list {
		if r.holds(d.conditions) {
			r.measureOne(d, exemplar, took)
		}
	}
}

func (r *recorder) measureOne(d *declaration, exemplar series.Exemplar, took int64) {
	value, ok := took, took >= 0
	switch {
	case d.duration:
	case d.value == nil:
		r.dimensions(r.Labels(), d.dimensions)
		r.Count(d.metric)
		return
	default:
		found, there := r.find(d.value)
		if !there {
			return // what has no such value is no measurement
		}
		value, ok = signed(found, d.perUnit)
		ok = ok && (value >= 0 || d.kind == series.KindLast)
	}
	if !ok {
		r.tally.skipped[skipInvalidValue]++
		return
	}
	r.dimensions(r.Labels(), d.dimensions)
	switch d.kind {
	case series.KindSum:
		r.Add(d.metric, uint64(value))
	case series.KindLast:
		r.Set(d.metric, value, exemplar.At)
	default:
		exemplar.Value = value
		r.Observe(d.metric, exemplar)
	}
}

// holds tells whether all conditions hold.
func (r *recorder) holds(conditions []condition) bool {
	for i := range conditions {
		c := &conditions[i]
		value, found := r.find(&c.source)
		if c.Exists != nil && *c.Exists != found {
			return false
		}
		if !found {
			if len(c.In) > 0 || c.Matches != "" || c.Min != nil || c.Max != nil {
				return false
			}
			continue
		}
		if !c.holds(value) {
			return false
		}
	}
	return true
}

func (c *condition) holds(value pcommon.Value) bool {
	if len(c.In) > 0 || len(c.NotIn) > 0 || c.Matches != "" {
		text := textOf(value)
		if len(c.In) > 0 && !slices.Contains(c.In, text) || slices.Contains(c.NotIn, text) ||
			c.Matches != "" && !routing.Matches(c.Matches, text) {
			return false
		}
	}
	if c.Min == nil && c.Max == nil {
		return true
	}
	number, ok := numberOf(value)
	return ok && (c.Min == nil || number >= *c.Min) && (c.Max == nil || number <= *c.Max)
}

// numberOf reads a number, which some senders write as a string.
func numberOf(value pcommon.Value) (float64, bool) {
	switch value.Type() {
	case pcommon.ValueTypeDouble:
		return value.Double(), true
	case pcommon.ValueTypeInt:
		return float64(value.Int()), true
	case pcommon.ValueTypeStr:
		number, err := strconv.ParseFloat(value.Str(), 64)
		return number, err == nil
	}
	return 0, false
}

// signed reads a number and multiplies it. It is false for what is not a number, or beyond 63 bits.
func signed(value pcommon.Value, factor float64) (int64, bool) {
	number, ok := numberOf(value)
	product := math.Round(number * factor)
	if !ok || !(math.Abs(product) < math.MaxInt64) {
		return 0, false
	}
	return int64(product), true
}

// measureDetected counts the operations that span_hierarchy found slow, or found to take much memory, on a finished span.
func (r *recorder) measureDetected(span ptrace.Span) {
	for _, found := range span.Events().All() {
		if !isDetected(found) {
			continue
		}
		r.Labels().Add(labelOperation, r.bounded(text(found.Attributes(), lifecycle.AttrOperation)))
		r.count(slowOperations)
	}
}

func isDetected(found ptrace.SpanEvent) bool {
	switch found.Name() {
	case lifecycle.PerformanceSlowOperation, lifecycle.PerformanceSlowSQLQuery, lifecycle.PerformanceMemorySpike:
		return text(found.Attributes(), lifecycle.AttrDetectedBy) == lifecycle.DetectedBySpanHierarchy
	}
	return false
}

func hasDetected(span ptrace.Span) bool {
	for _, found := range span.Events().All() {
		if isDetected(found) {
			return true
		}
	}
	return false
}
