// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/pipeline"
)

// statuses are the status reports of components.
type statuses struct {
	mu sync.Mutex
	by map[statusKey]status
}

type statusKey struct {
	kind      string
	id        string
	pipelines string
}

type status struct {
	State     string
	Error     string
	Failing   bool
	Pipelines string
}

// componentStatus is one line of the collector page.
type componentStatus struct {
	Kind, ID string
	status
}

// ComponentStatusChanged implements componentstatus.Watcher. It is safe for concurrent use.
func (p *pages) ComponentStatusChanged(source *componentstatus.InstanceID, event *componentstatus.Event) {
	var pipelines []string
	source.AllPipelineIDs(func(id pipeline.ID) bool {
		pipelines = append(pipelines, id.String())
		return true
	})
	slices.Sort(pipelines)
	s := status{
		State: strings.TrimPrefix(event.Status().String(), "Status"), Failing: componentstatus.StatusIsError(event.Status()),
		Pipelines: strings.Join(pipelines, ", "),
	}
	if event.Err() != nil {
		s.Error = event.Err().Error()
	}
	p.statuses.mu.Lock()
	defer p.statuses.mu.Unlock()
	if p.statuses.by == nil {
		p.statuses.by = map[statusKey]status{}
	}
	p.statuses.by[statusKey{source.Kind().String(), source.ComponentID().String(), s.Pipelines}] = s
}

// all returns the components in data flow order.
func (s *statuses) all() []componentStatus {
	s.mu.Lock()
	var list []componentStatus
	for key, status := range s.by {
		list = append(list, componentStatus{key.kind, key.id, status})
	}
	s.mu.Unlock()
	order := []string{
		component.KindReceiver.String(), component.KindProcessor.String(), component.KindConnector.String(),
		component.KindExporter.String(), component.KindExtension.String(),
	}
	slices.SortFunc(list, func(a, b componentStatus) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Pipelines, b.Pipelines))
	})
	return list
}
