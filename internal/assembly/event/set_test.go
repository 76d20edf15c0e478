// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// A step has one index from its first event on, however many steps there are, and keeps its first name.
func TestStepsHaveOneIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shared := NewShared()
		var of Set
		var known []string
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 3*mostSearched), 0, 600).Draw(t, "steps") {
			id := strconv.Itoa(n)
			if !slices.Contains(known, id) {
				known = append(known, id)
			}
			name := ""
			if n%2 == 0 {
				name = "step " + id
			}
			i := of.stepIndex(shared, ID{Text: id, Integer: true}, name)
			require.EqualValues(t, slices.Index(known, id), i)
			require.Equal(t, name, of.Steps[i].Name)
		}
		require.Len(t, of.Steps, len(known))
		require.Equal(t, NoStep, of.FindStep("another"))
		require.Equal(t, len(known) > mostSearched, of.places != nil)
	})
}

// lifecycle.InsidePass agrees with the kinds of events.
func TestEventsOfAPass(t *testing.T) {
	for _, name := range lifecycle.Names() {
		k := (&Event{Name: name}).Kind()
		require.Equal(t, k.InsidePass() || k == PassBegan, lifecycle.InsidePass(name), name)
	}
}
