// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package namecache caches a value computed from a name, so that a hot path pays one map lookup for it.
//
// A Cache is safe for concurrent use.
package namecache

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
)

// maxName is the longest cached name in bytes. Names come from senders, and a few very long ones would fill the memory.
const maxName = 256

// Cache holds one value per name. Reading takes no lock. Adding a name copies the map, so it suits few names that recur.
type Cache[V any] struct {
	compute func(name string) V
	// beyond computes the value of names that are not cached: those that are too long, and new ones when the cache is full.
	beyond  func(name string) V
	limit   int
	known   atomic.Pointer[map[string]V]
	growing sync.Mutex
}

// New makes a cache of at most limit names. Values of further names and of names longer than 256 bytes are computed at
// every call. compute must be a pure function.
func New[V any](limit int, compute func(name string) V) *Cache[V] {
	return newCache(limit, compute, compute)
}

// NewBounded makes a cache of at most limit names and calls compute once for each. Further names and names longer than 256
// bytes share one value.
func NewBounded[V any](limit int, compute func(name string) V, shared V) *Cache[V] {
	return newCache(limit, compute, func(string) V { return shared })
}

func newCache[V any](limit int, compute, beyond func(name string) V) *Cache[V] {
	c := &Cache[V]{compute: compute, beyond: beyond, limit: limit}
	c.known.Store(&map[string]V{})
	return c
}

// Get returns the value of a name. The cache does not retain the given string.
func (c *Cache[V]) Get(name string) V {
	known := *c.known.Load()
	if value, found := known[name]; found {
		return value
	}
	if len(known) >= c.limit || len(name) > maxName {
		return c.beyond(name)
	}
	return c.add(name)
}

func (c *Cache[V]) add(name string) V {
	c.growing.Lock()
	defer c.growing.Unlock()
	known := *c.known.Load()
	if value, found := known[name]; found {
		return value
	}
	if len(known) >= c.limit {
		return c.beyond(name)
	}
	value := c.compute(name)
	grown := make(map[string]V, len(known)+1)
	maps.Copy(grown, known)
	// Clone because the name may be a substring of a request's body, which it would keep in memory.
	grown[strings.Clone(name)] = value
	c.known.Store(&grown)
	return value
}

// All returns the cached names and values. The map must not be changed.
func (c *Cache[V]) All() map[string]V { return *c.known.Load() }

// Len returns the number of cached names.
func (c *Cache[V]) Len() int { return len(*c.known.Load()) }
