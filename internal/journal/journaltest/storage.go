// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package journaltest is an in-memory storage extension for the tests of components that keep state: it can fail, and its content
// can be copied as a crash would leave it.
package journaltest

import (
	"context"
	"maps"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// ID is the id of the storage in [Storage.Host].
var ID = component.MustNewID("memory_storage")

// Storage is a storage extension. What its clients write outlives them, as a file outlives a process.
type Storage struct {
	component.StartFunc
	component.ShutdownFunc

	mu      sync.Mutex
	stores  map[string]map[string][]byte
	fail    error
	batches int
	opening func(name string) error
	before  func() error
	after   func()
}

// New makes an empty storage.
func New() *Storage { return &Storage{stores: map[string]map[string][]byte{}} }

// Host returns a host with the storage as its only extension.
func (s *Storage) Host() component.Host { return host{componenttest.NewNopHost(), s} }

type host struct {
	component.Host
	storage *Storage
}

func (h host) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{ID: h.storage}
}

// Fail makes every write fail with err, until it is called with nil.
func (s *Storage) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// Opening sets a function called before a client is made; its error, or panic, becomes that of GetClient.
func (s *Storage) Opening(ask func(name string) error) { s.opening = ask }

// BeforeBatch sets a function called before each write; its error becomes that of the write.
func (s *Storage) BeforeBatch(call func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = call
}

// AfterBatch sets a function called after each successful write.
func (s *Storage) AfterBatch(call func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.after = call
}

// Batches returns the number of writes so far.
func (s *Storage) Batches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.batches
}

// Crashed returns a copy of the storage, as the next process would find it after a crash now.
func (s *Storage) Crashed() *Storage {
	s.mu.Lock()
	defer s.mu.Unlock()
	copied := New()
	for name, store := range s.stores {
		copied.stores[name] = maps.Clone(store)
	}
	return copied
}

// Change replaces every value of every store by the result of a function.
func (s *Storage) Change(change func(key string, value []byte) []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, store := range s.stores {
		for key, value := range store {
			store[key] = change(key, slices.Clone(value))
		}
	}
}

// Keys lists the keys of all stores, sorted.
func (s *Storage) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for _, store := range s.stores {
		keys = slices.AppendSeq(keys, maps.Keys(store))
	}
	slices.Sort(keys)
	return keys
}

// GetClient makes a client of one component's store.
func (s *Storage) GetClient(_ context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	if s.opening != nil {
		if err := s.opening(name); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := kind.String() + "/" + id.String() + "/" + name
	if s.stores[key] == nil {
		s.stores[key] = map[string][]byte{}
	}
	return &client{s, key}, nil
}

type client struct {
	storage *Storage
	name    string
}

func (c *client) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := c.Batch(ctx, op)
	return op.Value, err
}

func (c *client) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

func (c *client) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

func (c *client) Batch(_ context.Context, ops ...*storage.Operation) error {
	if err := c.before(ops); err != nil {
		return err
	}
	after, err := c.batch(ops)
	if after != nil {
		after()
	}
	return err
}

func (c *client) before(ops []*storage.Operation) error {
	c.storage.mu.Lock()
	call := c.storage.before
	c.storage.mu.Unlock()
	if call == nil || !writes(ops) {
		return nil
	}
	return call()
}

func writes(ops []*storage.Operation) bool {
	return slices.ContainsFunc(ops, func(op *storage.Operation) bool { return op.Type != storage.Get })
}

func (c *client) batch(ops []*storage.Operation) (after func(), err error) {
	s := c.storage
	s.mu.Lock()
	defer s.mu.Unlock()
	store := s.stores[c.name]
	if writes(ops) {
		if s.fail != nil {
			return nil, s.fail
		}
		s.batches++
		after = s.after
	}
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = slices.Clone(store[op.Key])
		case storage.Set:
			store[op.Key] = slices.Clone(op.Value)
		case storage.Delete:
			delete(store, op.Key)
		}
	}
	return after, nil
}

func (c *client) Walk(_ context.Context, visit storage.WalkFunc) error {
	c.storage.mu.Lock()
	entries := maps.Clone(c.storage.stores[c.name])
	c.storage.mu.Unlock()
	for key, value := range entries { // in random order, as the interface allows
		if _, err := visit(key, value); err != nil {
			return err
		}
	}
	return nil
}

func (*client) Close(context.Context) error { return nil }
