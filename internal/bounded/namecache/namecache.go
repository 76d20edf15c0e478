// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package namecache remembers what was found out about a name, so that a hot path pays one map lookup for it.
//
// A Cache may be used concurrently.
package namecache

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
)

// maxName is the longest name that is held, in bytes: names come from senders, and a few very long ones would fill the memory.
const maxName = 256

// Cache holds one value per name. Reading takes no lock. It is made for few names that come often: every new name copies
// the map.
type Cache[V any] struct {
	compute func(name string) V
	// beyond is what names get that the cache cannot hold: too long ones, and all further ones once it is full.
	beyond  func(name string) V
	limit   int
	known   atomic.Pointer[map[string]V]
	growing sync.Mutex
}

// New makes a cache of at most limit names. When it is full, further names are worked out each time, and so is always one
// of more than 256 bytes. compute must be a pure function.
func New[V any](limit int, compute func(name string) V) *Cache[V] {
	return newCache(limit, compute, compute)
}

// NewBounded makes a cache of at most limit names, for each of which compute is called once. All further names, and those
// of more than 256 bytes, share one value.
func NewBounded[V any](limit int, compute func(name string) V, shared V) *Cache[V] {
	return newCache(limit, compute, func(string) V { return shared })
}

func newCache[V any](limit int, compute, beyond func(name string) V) *Cache[V] {
	c := &Cache[V]{compute: compute, beyond: beyond, limit: limit}
	c.known.Store(&map[string]V{})
	return c
}

// Get returns the value of a name. The cache keeps no reference to the given string.
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
	// A clone, because the name may be a part of a request's body, which it would keep in memory.
	grown[strings.Clone(name)] = value
	c.known.Store(&grown)
	return value
}

// All returns the names held and their values. The map must not be changed.
func (c *Cache[V]) All() map[string]V { return *c.known.Load() }

// Len returns the number of names held.
func (c *Cache[V]) Len() int { return len(*c.known.Load()) }
