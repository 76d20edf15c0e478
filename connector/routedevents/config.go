package routedevents

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/component"
)

// What the body of a structured record is.
const (
	bodyMessage = "message"
	bodyJSON    = "json"
)

// Which attributes of an event its span has.
const (
	attributesAll  = "all"
	attributesTree = "tree"
)

// Config of routed_events. What becomes of an event is not here: it is event_router's decision.
type Config struct {
	// LogBody is what the body of a structured record is: message, a readable line with the rest in attributes; or json, one
	// line of JSON that holds everything.
	LogBody string `mapstructure:"log_body"`
	// EventAttributes are the attributes that an event span has: all; or tree, those that span_hierarchy reads, which costs
	// less where nothing else reads event spans.
	EventAttributes string `mapstructure:"event_attributes"`

	_ struct{} // keyed literals only
}

var _ component.Config = (*Config)(nil)

// Validate names every mistake.
func (c *Config) Validate() error {
	var errs []error
	if c.LogBody != bodyMessage && c.LogBody != bodyJSON {
		errs = append(errs, fmt.Errorf("log_body: %q is no form of a record: use %s or %s", c.LogBody, bodyMessage, bodyJSON))
	}
	if c.EventAttributes != attributesAll && c.EventAttributes != attributesTree {
		errs = append(errs, fmt.Errorf("event_attributes: %q is no set of attributes: use %s or %s", c.EventAttributes, attributesAll, attributesTree))
	}
	return errors.Join(errs...)
}
