package series

// Writer records values of one batch. It holds the registry's lock from [Registry.Begin] to [Writer.End] and must not be
// used after.
type Writer struct {
	registry *Registry
	app      *application
	now      Instant
}

// Begin takes the registry's lock. Series that get a value are touched at now.
func (r *Registry) Begin(now Instant) Writer {
	r.mu.Lock()
	r.log.Begin(now)
	return Writer{registry: r, now: now}
}

// End hands the batch's changes to the log, if there is one, and releases the lock.
func (w *Writer) End() {
	w.registry.labels.forget()
	w.registry.log.End()
	w.registry.mu.Unlock()
}

// Application chooses the service whose values follow. It must be called before the first value.
func (w *Writer) Application(namespace, service string) {
	w.app = w.registry.application(namespace, service)
}

// Labels empties the labels and returns them to be filled. They hold for all values until the next call.
func (w *Writer) Labels() *Labels { return w.registry.labels.Reset() }

// Add adds to a sum.
func (w *Writer) Add(metric int, by uint64) {
	s := w.registry.lookup(w.app, metric, w.now)
	s.add(by)
	w.registry.log.Count(s.id, by)
}

// Set sets a metric that is the newest of its values to one that was true at a time, unless it has a newer one.
func (w *Writer) Set(metric int, value, at int64) {
	s := w.registry.lookup(w.app, metric, w.now)
	if s.set(value, at) {
		w.registry.log.Set(s.id, value, at)
	}
}

// Observe adds a value, which must not be negative, to a histogram. An exemplar without a trace is not kept.
func (w *Writer) Observe(metric int, exemplar Exemplar) {
	s := w.registry.lookup(w.app, metric, w.now)
	s.observe(&w.registry.definitions[metric], exemplar.Value)
	w.registry.log.Observe(s.id, exemplar.Value)
	if exemplar.Trace != ([16]byte{}) && w.registry.keepExemplar(s, &exemplar, w.now) {
		w.registry.log.Exemplar(s.id, &exemplar)
	}
}

// Gauge is a handle on the series of a gauge. It stays valid while its level is not zero.
func (w *Writer) Gauge(metric int) Gauge {
	return Gauge{series: w.registry.lookup(w.app, metric, w.now)}
}

// Gauge is a level that goes up and down. It may be moved only under the registry's lock.
type Gauge struct{ series *series }

// ID is the id of the series in the log.
func (g Gauge) ID() uint64 { return g.series.current().id }

// Move adds to the level, at a time of the registry's clock.
func (g Gauge) Move(by int64, now Instant) {
	s := g.series.current()
	s.Level += by
	s.touch(now)
}
