// Package status asks a running collector how it is: from what it says of itself at its telemetry endpoint, and from its
// health check.
package status
