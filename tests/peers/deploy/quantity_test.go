// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/resource"
)

// fourFifths checks that Go's memory limit is four fifths of the container's: with less the garbage collector would run too
// often, with more the container would be killed first. Both are Kubernetes quantities.
func fourFifths(t *testing.T, where, limit, goLimit string) {
	t.Helper()
	shareOf(t, where, limit, goLimit, 0.8)
}

func shareOf(t *testing.T, where, limit, part string, share float64) {
	t.Helper()
	all, err := resource.ParseQuantity(limit)
	require.NoError(t, err, "%s: %s", where, limit)
	some, err := resource.ParseQuantity(part)
	require.NoError(t, err, "%s: %s", where, part)
	assert.InEpsilon(t, share*float64(all.Value()), float64(some.Value()), 0.01, "%s of the limit %s of %s", part, limit, where)
}
