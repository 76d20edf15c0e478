// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package namecache_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tasker-otel/otelcol-tasker/internal/bounded/namecache"
)

func TestCache(t *testing.T) {
	calls := 0
	cache := namecache.New(2, func(name string) int { calls++; return len(name) })
	for _, name := range []string{"a", "bb", "a", "bb", "ccc", "ccc"} {
		assert.Len(t, name, cache.Get(name))
	}
	assert.Equal(t, 2, cache.Len(), "bounded")
	assert.Equal(t, 4, calls, "once for a and bb, each time for ccc, which found the cache full")
}

// Names come from senders: a few of a megabyte each would fill the memory.
func TestLongNamesAreNotHeld(t *testing.T) {
	long := strings.Repeat("a", 257)
	cache := namecache.New(2, func(name string) int { return len(name) })
	assert.Equal(t, 257, cache.Get(long))
	assert.Zero(t, cache.Len())
	assert.Equal(t, 256, cache.Get(long[1:]))
	assert.Equal(t, 1, cache.Len())

	bounded := namecache.NewBounded(2, func(name string) int { return len(name) }, -1)
	assert.Equal(t, -1, bounded.Get(long))
	assert.Zero(t, bounded.Len())
}

func TestCacheIsSafeForConcurrentUse(t *testing.T) {
	const limit = 50
	cache := namecache.New(limit, func(name string) string { return name + "!" })
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range 200 {
				name := strconv.Itoa(i)
				assert.Equal(t, name+"!", cache.Get(name))
			}
		})
	}
	group.Wait()
	assert.Equal(t, limit, cache.Len())
}

func TestBoundedCacheHasOneValueForTheRest(t *testing.T) {
	const limit, names = 50, 200
	rest := new(int)
	cache := namecache.NewBounded(limit, func(string) *int { return new(int) }, rest)
	var found [4][names]*int
	var group sync.WaitGroup
	for worker := range found {
		group.Go(func() {
			for i := range names {
				found[worker][i] = cache.Get(strconv.Itoa(i))
			}
		})
	}
	group.Wait()
	own := map[*int]bool{}
	for i := range names {
		held := cache.All()[strconv.Itoa(i)]
		for worker := range found {
			// A worker may find the cache full before the name is cached: then it gets the shared value.
			assert.True(t, found[worker][i] == rest || found[worker][i] == held, "a name has one value")
		}
		if held != nil {
			own[held] = true
		}
	}
	assert.Len(t, own, limit)
}
