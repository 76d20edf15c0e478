// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package namecache

import (
	"strings"

	"github.com/zeebo/xxh3"
)

const (
	// frontPlaces is the number of names in a front, a power of two.
	frontPlaces = 128
	// longestInFront is the longest name in a front, to bound its memory.
	longestInFront = 64
)

// Front caches the most recently used names of a Cache, at a fraction of the cost of a map lookup. It is not safe for
// concurrent use.
type Front[V any] struct {
	behind *Cache[V]
	places [frontPlaces]place[V]
}

type place[V any] struct {
	name  string
	value V
}

// Front makes an empty front of the cache.
func (c *Cache[V]) Front() *Front[V] { return &Front[V]{behind: c} }

// Get returns the value of a name as it was when the front read it from the cache, so values must not change.
func (f *Front[V]) Get(name string) V {
	if name == "" || len(name) > longestInFront {
		return f.behind.Get(name)
	}
	at := &f.places[xxh3.HashString(name)%frontPlaces]
	if at.name != name {
		// Clone for the same reason as in Cache.Get.
		*at = place[V]{strings.Clone(name), f.behind.Get(name)}
	}
	return at.value
}
