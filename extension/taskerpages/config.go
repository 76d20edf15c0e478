// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// Config of tasker_pages. README.md documents the settings.
type Config struct {
	// ServerConfig configures the HTTP server: endpoint, tls, auth and more.
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`
	// AllowedHosts are additional host names, such as a local proxy's, that requests for pages served on localhost may use.
	AllowedHosts []string `mapstructure:"allowed_hosts"`
	// RefreshInterval is the update interval of open pages.
	RefreshInterval time.Duration `mapstructure:"refresh_interval"`
	// MaxViewers is the maximum number of live pages. Further ones are shown but not updated.
	MaxViewers int `mapstructure:"max_viewers"`
	// RecentTasks and RecentBytes bound the emitted tasks that span_hierarchy retains.
	RecentTasks int   `mapstructure:"recent_tasks"`
	RecentBytes int64 `mapstructure:"recent_bytes"`
	// OwnMetrics is the address of the collector's internal metrics, from which losses and lagging exporters are derived.
	// If empty they are not read.
	OwnMetrics string `mapstructure:"own_metrics"`
	// Links lead from a task to other tools.
	Links []Link `mapstructure:"links"`

	_ struct{} // keyed literals only
}

// Link is a link on a task's page.
type Link struct {
	// Name is the link's text.
	Name string `mapstructure:"name"`
	// URL is a template with the placeholders {trace_id}, {task_id}, {correlation_id}, {service}, {task_name}, {start_ms}
	// and {end_ms}.
	URL string `mapstructure:"url"`
}

var _ component.Config = (*Config)(nil)

const leastRefresh = 100 * time.Millisecond

// Validate reports all mistakes at once.
func (c *Config) Validate() error {
	mistakes := []error{
		c.checkRefresh(),
		configerr.OrZero("max_viewers", c.MaxViewers, "to update no page"),
		configerr.OrZero("recent_tasks", c.RecentTasks, "to keep none"),
		configerr.OrZero("recent_bytes", c.RecentBytes, "to keep none"),
	}
	if c.ServerConfig.NetAddr.Endpoint == "" {
		mistakes = append(mistakes, configerr.New("endpoint", "", "is not an address to listen on", fmt.Sprintf("use one such as %q", defaultEndpoint)))
	}
	if c.OwnMetrics != "" && !isHTTP(c.OwnMetrics) {
		mistakes = append(mistakes, configerr.New("own_metrics", c.OwnMetrics, "is not an HTTP address",
			fmt.Sprintf("use that of service::telemetry::metrics, such as %q, or \"\" for none", defaultOwnMetrics)))
	}
	for i, host := range c.AllowedHosts {
		if host == "" || strings.ContainsAny(host, "/ *") {
			mistakes = append(mistakes, configerr.New(configerr.Index("allowed_hosts", i), host, "is not a host's name", "use one such as \"tasker.example.com\""))
		}
	}
	for i, link := range c.Links {
		mistakes = append(mistakes, link.check(configerr.Index("links", i)))
	}
	return errors.Join(mistakes...)
}

func (c *Config) checkRefresh() error {
	if err := configerr.Unit("refresh_interval", c.RefreshInterval, "1s"); err != nil {
		return err
	}
	return configerr.AtLeast("refresh_interval", c.RefreshInterval, leastRefresh)
}

func isHTTP(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func (l *Link) check(at string) error {
	var mistakes []error
	if l.Name == "" {
		mistakes = append(mistakes, configerr.New(configerr.Path(at, "name"), l.Name, "is not a text to show", "use one such as \"Trace in Tempo\""))
	}
	url := configerr.Path(at, "url")
	for _, name := range placeholder.FindAllString(l.URL, -1) {
		if !slices.Contains(placeholders, name) {
			mistakes = append(mistakes, configerr.New(url, l.URL, "has "+name+", which is not known", "use "+strings.Join(placeholders, ", ")))
		}
	}
	if filled := placeholder.ReplaceAllString(l.URL, "x"); !isHTTP(filled) {
		mistakes = append(mistakes, configerr.New(url, l.URL, "is not an HTTP address", "use one that begins with http:// or https://"))
	}
	return errors.Join(mistakes...)
}
