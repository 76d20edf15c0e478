// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package namecache

import (
	"strings"

	"github.com/zeebo/xxh3"
)

const (
	// frontPlaces is how many names a front holds, a power of two.
	frontPlaces = 128
	// longestInFront bounds what a front keeps in memory of the names that it was asked for.
	longestInFront = 64
)

// Front stands before a cache and holds the names that were asked for last: to look there costs a fraction of a look-up in a
// map. One goroutine uses it at a time.
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

// Get returns the value of a name. It is that of the cache at the time when the front last took it from there, so it is for caches
// whose values do not change.
func (f *Front[V]) Get(name string) V {
	if name == "" || len(name) > longestInFront {
		return f.behind.Get(name)
	}
	at := &f.places[xxh3.HashString(name)%frontPlaces]
	if at.name != name {
		// A clone, as in the cache.
		*at = place[V]{strings.Clone(name), f.behind.Get(name)}
	}
	return at.value
}
