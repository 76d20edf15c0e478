package routedevents

import "go.opentelemetry.io/collector/component"

// Config of routed_events. It has no settings: what becomes of an event is event_router's decision.
type Config struct {
	_ struct{} // keyed literals only
}

var _ component.Config = (*Config)(nil)

// Validate finds nothing wrong.
func (*Config) Validate() error { return nil }
