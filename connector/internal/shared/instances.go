// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package shared provides one instance of a component for all of its inputs. The collector creates a connector for each
// pair of signals that it connects, but a stateful connector needs a single state.
//
// The instances belong to the factory. All functions may be called concurrently.
package shared

import "sync"

// Instances are a factory's instances by config. The collector passes the same config object to all inputs of a component
// ID, and a new one after a reload, so the object is the key. It is safe for concurrent use.
type Instances[C, I comparable] struct {
	mu       sync.Mutex
	byConfig map[C]I
	users    map[I]int
}

// NewInstances makes an empty set.
func NewInstances[C, I comparable]() *Instances[C, I] {
	return &Instances[C, I]{byConfig: make(map[C]I), users: make(map[I]int)}
}

// Acquire adds an input to the instance of a config, creating the instance for the first one. The caller calls release once
// when the input stops; it reports whether that was the last input.
func (s *Instances[C, I]) Acquire(cfg C, create func() (I, error)) (instance I, release func() bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	instance, found := s.byConfig[cfg]
	if !found {
		if instance, err = create(); err != nil {
			return instance, nil, err
		}
		s.byConfig[cfg] = instance
	}
	s.users[instance]++
	return instance, func() bool { return s.release(cfg, instance) }, nil
}

func (s *Instances[C, I]) release(cfg C, instance I) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[instance]--
	if s.users[instance] > 0 {
		return false
	}
	delete(s.users, instance)
	delete(s.byConfig, cfg)
	return true
}
