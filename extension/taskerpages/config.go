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

// Validate names every mistake at once, each with its key, its value and the remedy.
func (c *Config) Validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.ServerConfig.NetAddr.Endpoint == "" {
		wrong("'endpoint' is empty: name an address to listen on, such as %q", defaultEndpoint)
	}
	if err := configerr.CheckUnit("'refresh_interval'", c.RefreshInterval, "1s"); err != nil {
		errs = append(errs, err)
	} else if c.RefreshInterval < leastRefresh {
		wrong("'refresh_interval' is %s: set it to %s or more", c.RefreshInterval, leastRefresh)
	}
	if c.MaxViewers < 0 {
		wrong("'max_viewers' is %d: set it to 0 (no page is kept live) or more", c.MaxViewers)
	}
	if c.RecentTasks < 0 {
		wrong("'recent_tasks' is %d: set it to 0 (keep none) or more", c.RecentTasks)
	}
	if c.RecentBytes < 0 {
		wrong("'recent_bytes' is %d: set it to 0 (keep none) or more", c.RecentBytes)
	}
	if c.OwnMetrics != "" && !isHTTP(c.OwnMetrics) {
		wrong("'own_metrics' is %q: write the address of service::telemetry::metrics, such as %q, or \"\" not to read it", c.OwnMetrics, defaultOwnMetrics)
	}
	for i, host := range c.AllowedHosts {
		if host == "" || strings.ContainsAny(host, "/ *") {
			wrong("'allowed_hosts[%d]' is %q: write a host's name, such as \"tasker.example.com\"", i, host)
		}
	}
	for i, link := range c.Links {
		errs = append(errs, link.check(fmt.Sprintf("'links[%d]", i)))
	}
	return errors.Join(errs...)
}

func isHTTP(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func (l *Link) check(place string) error {
	var errs []error
	if l.Name == "" {
		errs = append(errs, fmt.Errorf("%s.name' is empty: say what the link leads to, such as \"Trace in Tempo\"", place))
	}
	for _, word := range placeholder.FindAllString(l.URL, -1) {
		if !slices.Contains(placeholders, word) {
			errs = append(errs, fmt.Errorf("%s.url' has %s, which is not known: use %s", place, word, strings.Join(placeholders, ", ")))
		}
	}
	if filled := placeholder.ReplaceAllString(l.URL, "x"); !isHTTP(filled) {
		errs = append(errs, fmt.Errorf("%s.url' is %q: write an address that begins with http:// or https://", place, l.URL))
	}
	return errors.Join(errs...)
}
