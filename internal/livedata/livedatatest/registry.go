// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package livedatatest provides a registry for testing components that offer data to the live pages.
package livedatatest

import (
	"sync"

	"go.opentelemetry.io/collector/component"

	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
)

// Host is a host with a registry among its extensions.
type Host struct {
	component.Host
	Registry *Registry
}

// GetExtensions implements component.Host.
func (h *Host) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("tasker_pages"): h.Registry}
}

// Registry records what is offered.
type Registry struct {
	component.StartFunc
	component.ShutdownFunc
	Bounds livedata.Keep

	mu     sync.Mutex
	tasks  map[component.ID]livedata.Tasks
	routes map[component.ID]livedata.Routes
}

var _ livedata.Registry = (*Registry)(nil)

// OfferTasks implements livedata.Registry.
func (r *Registry) OfferTasks(id component.ID, tasks livedata.Tasks) (withdraw func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tasks == nil {
		r.tasks = map[component.ID]livedata.Tasks{}
	}
	r.tasks[id] = tasks
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.tasks, id)
	}
}

// OfferRoutes implements livedata.Registry.
func (r *Registry) OfferRoutes(id component.ID, routes livedata.Routes) (withdraw func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.routes == nil {
		r.routes = map[component.ID]livedata.Routes{}
	}
	r.routes[id] = routes
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.routes, id)
	}
}

// Keep implements livedata.Registry.
func (r *Registry) Keep() livedata.Keep { return r.Bounds }

// Tasks returns what a component has offered, or nil.
func (r *Registry) Tasks(id component.ID) livedata.Tasks {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tasks[id]
}

// Routes returns what a component has offered, or nil.
func (r *Registry) Routes(id component.ID) livedata.Routes {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.routes[id]
}
