// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package shared finds the one instance behind all inputs of a component. The collector makes a connector anew for each
// pair of signals that it joins; one that has a state has it once.
package shared

import "sync"

// Instances are those of one factory, by their config. The collector gives every input of a component id the same config
// object, and a reloaded id a new one, so the object is the key.
type Instances[C, I comparable] struct {
	mu       sync.Mutex
	byConfig map[C]I
	users    map[I]int
}

// NewInstances makes an empty set.
func NewInstances[C, I comparable]() *Instances[C, I] {
	return &Instances[C, I]{byConfig: make(map[C]I), users: make(map[I]int)}
}

// Acquire adds an input to the instance of a config, which is made for the first one. The caller calls release once, when
// the input stops; it tells whether that was the instance's last input.
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
