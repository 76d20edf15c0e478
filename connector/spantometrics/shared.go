package spantometrics

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
)

// instances finds the one instance behind all inputs of a component id. The collector gives every input of an id the same
// config object, and a reloaded id a new one, so the object is the key.
type instances struct {
	mu       sync.Mutex
	byConfig map[*Config]*instance
	users    map[*instance]int
}

func newInstances() *instances {
	return &instances{byConfig: make(map[*Config]*instance), users: make(map[*instance]int)}
}

// acquire adds an input to the instance of cfg, and makes the instance for the first one. The instance sends to the first
// input's next consumer: the collector hands every input of an id the same metrics pipelines.
func (s *instances) acquire(cfg *Config, settings connector.Settings, next consumer.Metrics) (*input, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	shared, found := s.byConfig[cfg]
	if !found {
		made, err := newInstance(cfg, settings, next)
		if err != nil {
			return nil, err
		}
		shared = made
		s.byConfig[cfg] = shared
	}
	s.users[shared]++
	return &input{instance: shared, release: func() bool { return s.release(cfg, shared) }}, nil
}

// release takes an input off, and tells whether it was the last one.
func (s *instances) release(cfg *Config, shared *instance) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[shared]--
	if s.users[shared] > 0 {
		return false
	}
	delete(s.users, shared)
	delete(s.byConfig, cfg)
	return true
}

// input is one signal's side of an instance.
type input struct {
	*instance
	release func() bool
	closing sync.Once
}

// Start starts the instance with its first input.
func (i *input) Start(ctx context.Context, host component.Host) error {
	return i.start(ctx, host)
}

// Shutdown stops the instance, with a last flush, when its last input is shut down: until then the other inputs may still
// be given what the components before them held. A second call does nothing.
func (i *input) Shutdown(ctx context.Context) error {
	var err error
	i.closing.Do(func() {
		if i.release() {
			err = i.stop(ctx)
		}
	})
	return err
}

// Capabilities says that the data is only read.
func (i *input) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// tracesInput and logsInput give an input the method of its signal.
type (
	tracesInput struct{ *input }
	logsInput   struct{ *input }
)
