// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

const (
	millisecond int64 = 1e6
	second      int64 = 1e9
	// epoch is the start of a generated stream: 2026-06-01T12:00:00Z.
	epoch = 1780315200 * second
)

// Options of [Generate]. The zero value of a field selects its default.
type Options struct {
	Tasks     int    // default 10
	Seed      uint64 // equal options give equal streams
	Service   string // default "shop"
	Template  string // workflow of all tasks; default: a random one for each
	Failures  bool   // one step in 12 fails once, one in 80 permanently
	Planned   bool   // also events that Tasker plans but does not fire yet: SQL, re-enqueue
	SpacingMS int    // mean interval between the starts of tasks; default 50
	FirstID   int64  // ID of the first task and of the first step; default 1
}

// Generate returns a simulated stream, in the order of its events, and the truth of each task. It panics if the template is
// unknown.
func Generate(o Options) (lines [][]byte, truth []Task) {
	o.Tasks = cmp.Or(o.Tasks, 10)
	o.Service = cmp.Or(o.Service, "shop")
	o.SpacingMS = cmp.Or(o.SpacingMS, 50)
	o.FirstID = cmp.Or(o.FirstID, 1)
	g := newGenerator(o, o.Seed, 1, epoch)
	names := templateNames()
	spacing := int64(o.SpacingMS) * millisecond
	for i := range int64(o.Tasks) {
		name := o.Template
		if name == "" {
			name = names[g.rng.IntN(len(names))]
		}
		graph := templateOf(name)
		if graph == nil {
			panic(fmt.Sprintf("engine: no template %q; known: %q", name, names))
		}
		start := epoch + i*spacing + g.between(0, spacing)
		truth = append(truth, newModel(g, o.FirstID+i, name, graph, start).live())
	}
	return g.lines(), truth
}

// generator is the state shared by the tasks of a stream.
type generator struct {
	options  Options
	rng      *rand.Rand
	emitted  []emission
	nextStep int64
	creator  string    // correlation ID of the thread that creates tasks
	pool     [3]string // correlation IDs of the threads that execute steps, shared by all tasks (trap 6)
}

// newGenerator makes the generator of a stream whose threads began at a time. Equal seeds and sequences draw equal numbers.
func newGenerator(o Options, seed, sequence uint64, begin int64) *generator {
	g := &generator{options: o, rng: rand.New(rand.NewPCG(seed, sequence)), nextStep: o.FirstID}
	g.creator = g.correlationID(begin)
	for i := range g.pool {
		g.pool[i] = g.correlationID(begin)
	}
	return g
}

// lines returns what was emitted, in the order of time.
func (g *generator) lines() [][]byte {
	slices.SortStableFunc(g.emitted, func(a, b emission) int { return cmp.Compare(a.at, b.at) })
	lines := make([][]byte, len(g.emitted))
	for i, e := range g.emitted {
		lines[i] = e.line
	}
	return lines
}

type emission struct {
	at   int64
	line []byte
}

// between draws from low to high, both inclusive.
func (g *generator) between(low, high int64) int64 { return low + g.rng.Int64N(high-low+1) }

const alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func (g *generator) correlationID(ns int64) string {
	var b strings.Builder
	b.WriteString("tsk_" + strconv.FormatInt(ns/millisecond, 36) + "_")
	for range 6 {
		b.WriteByte(alphabet[g.rng.IntN(len(alphabet))])
	}
	return b.String()
}

// failures draws how often the step fails before it succeeds.
func (g *generator) failures(limit int) int {
	if !g.options.Failures {
		return 0
	}
	switch r := g.rng.Float64(); {
	case r < 1.0/80:
		return limit
	case r < 1.0/80+1.0/12:
		return 1
	}
	return 0
}
