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

// Config of tasker_pages. README.md explains every setting.
type Config struct {
	// ServerConfig is where and how the pages are served: endpoint, tls, auth and the rest.
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`
	// AllowedHosts are names, beside those of the machine itself, by which a browser may ask for pages that are served on
	// localhost: that of a proxy on the same machine.
	AllowedHosts []string `mapstructure:"allowed_hosts"`
	// RefreshInterval is how often a page that is open is brought up to date.
	RefreshInterval time.Duration `mapstructure:"refresh_interval"`
	// MaxViewers bounds the pages that are kept live. Further ones are shown, but stay as they are.
	MaxViewers int `mapstructure:"max_viewers"`
	// RecentTasks and RecentBytes bound what span_hierarchy keeps of tasks that it has emitted.
	RecentTasks int   `mapstructure:"recent_tasks"`
	RecentBytes int64 `mapstructure:"recent_bytes"`
	// OwnMetrics is where the collector's own metrics are, from which the pages tell what was lost and who is behind. Empty:
	// they are not read.
	OwnMetrics string `mapstructure:"own_metrics"`
	// Links lead from a task to other tools.
	Links []Link `mapstructure:"links"`

	_ struct{} // keyed literals only
}

// Link is a link on a task's page.
type Link struct {
	// Name is what the link says.
	Name string `mapstructure:"name"`
	// URL is a template: {trace_id}, {task_id}, {correlation_id}, {service}, {task_name}, {start_ms} and {end_ms} are filled in.
	URL string `mapstructure:"url"`
}

var _ component.Config = (*Config)(nil)

const leastRefresh = 100 * time.Millisecond

// Validate reports every mistake at once.
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
