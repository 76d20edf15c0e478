package routedevents

import (
	"fmt"

	"go.opentelemetry.io/collector/component"
)

// What the body of a structured record is.
const (
	bodyMessage = "message"
	bodyJSON    = "json"
)

// Config of routed_events. What becomes of an event is not here: it is event_router's decision.
type Config struct {
	// LogBody is what the body of a structured record is: message, a readable line with the rest in attributes; or json, one
	// line of JSON that holds everything.
	LogBody string `mapstructure:"log_body"`

	_ struct{} // keyed literals only
}

var _ component.Config = (*Config)(nil)

// Validate names the only thing that can be wrong.
func (c *Config) Validate() error {
	if c.LogBody != bodyMessage && c.LogBody != bodyJSON {
		return fmt.Errorf("log_body: %q is no form of a record: use %s or %s", c.LogBody, bodyMessage, bodyJSON)
	}
	return nil
}
