// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"sigs.k8s.io/yaml"
)

// pipelines is the part of a configuration that determines which exporters receive an item again when another one fails.
type pipelines struct {
	Exporters map[string]struct {
		SendingQueue *struct {
			Storage         string `json:"storage"`
			BlockOnOverflow bool   `json:"block_on_overflow"`
		} `json:"sending_queue"`
		RetryOnFailure struct {
			MaxElapsedTime string `json:"max_elapsed_time"`
			Enabled        bool   `json:"enabled"`
		} `json:"retry_on_failure"`
	} `json:"exporters"`
	Connectors map[string]struct {
		AggregationTemporality string `json:"aggregation_temporality"`
	} `json:"connectors"`
	Service struct {
		Pipelines map[string]struct {
			Receivers  []string `json:"receivers"`
			Processors []string `json:"processors"`
			Exporters  []string `json:"exporters"`
		} `json:"pipelines"`
	} `json:"service"`
}

// Kinds of components.
var (
	// neverRefuse are exporters that accept everything, and span_to_metrics, which counts resent items once.
	neverRefuse = []string{"debug", "nop", "prometheus", "span_to_metrics"}
	// synchronous are connectors that return errors.
	synchronous = []string{"forward", "routed_events"}
	// retaining are processors that retain and retry rejected data, or lose it; they return no errors.
	retaining = []string{"span_hierarchy", "tail_sampling", "batch"}
)

func kindOf(id string) string {
	kind, _, _ := strings.Cut(id, "/")
	return kind
}

func isOneOf(kinds []string) func(string) bool {
	return func(id string) bool { return slices.Contains(kinds, kindOf(id)) }
}

// group are exporters that receive the data of a pipeline in one call: if one fails, all receive it again.
type group struct {
	of  string
	ids []string
	// waits reports whether the caller waits as long as an exporter does. A sender does not.
	waits bool
}

// groups returns the groups of a pipeline. Since each routed_events recognizes what it has recorded, its exporters are a
// separate group.
func (c *pipelines) groups(name string) (groups []group) {
	waits := slices.ContainsFunc(c.Service.Pipelines[name].Processors, isOneOf(retaining))
	all := map[string]bool{}
	c.reach(name, func(id string) bool { return waits || kindOf(id) != "routed_events" }, all)
	groups = append(groups, group{name, slices.Sorted(maps.Keys(all)), waits})
	for _, id := range c.Service.Pipelines[name].Exporters {
		if behind := map[string]bool{}; !waits && kindOf(id) == "routed_events" {
			c.follow(id, func(string) bool { return true }, behind)
			groups = append(groups, group{name + " by " + id, slices.Sorted(maps.Keys(behind)), false})
		}
	}
	return groups
}

// reach adds the exporters of a pipeline, and those of the connectors to follow.
func (c *pipelines) reach(name string, followed func(string) bool, all map[string]bool) {
	for _, id := range c.Service.Pipelines[name].Exporters {
		if _, connects := c.Connectors[id]; !connects || !isOneOf(synchronous)(id) {
			all[id] = true
		} else if followed(id) {
			c.follow(id, followed, all)
		}
	}
}

func (c *pipelines) follow(connector string, followed func(string) bool, all map[string]bool) {
	for next, pipeline := range c.Service.Pipelines {
		if slices.Contains(pipeline.Receivers, connector) && !slices.ContainsFunc(pipeline.Processors, isOneOf(retaining)) {
			c.reach(next, followed, all)
		}
	}
}

// cumulative reports whether a pipeline receives only totals, whose later values include rejected ones.
func (c *pipelines) cumulative(name string) bool {
	receivers := c.Service.Pipelines[name].Receivers
	return kindOf(name) == "metrics" && !slices.ContainsFunc(receivers, func(id string) bool {
		return kindOf(id) != "span_to_metrics" || c.Connectors[id].AggregationTemporality != "cumulative"
	})
}

// mistakes returns the exporters because of which others would receive duplicates or have to wait.
func (c *pipelines) mistakes() (mistakes []string) {
	for name := range c.Service.Pipelines {
		for _, g := range c.groups(name) {
			for _, id := range g.ids {
				if !isOneOf(neverRefuse)(id) && len(g.others(id)) > 0 {
					mistakes = append(mistakes, c.mistake(name, g, id))
				}
			}
		}
	}
	slices.Sort(mistakes)
	return slices.DeleteFunc(slices.Compact(mistakes), func(m string) bool { return m == "" })
}

// others returns the exporters that an exporter's failure affects.
func (g *group) others(of string) []string {
	return slices.DeleteFunc(slices.Clone(g.ids), func(id string) bool { return id == of || kindOf(id) == "span_to_metrics" && !g.waits })
}

func (c *pipelines) mistake(pipeline string, g group, id string) string {
	e := c.Exporters[id]
	queued := e.SendingQueue != nil
	waits := queued && e.SendingQueue.BlockOnOverflow || !queued && e.RetryOnFailure.Enabled
	switch {
	case c.cumulative(pipeline) && waits:
		return g.of + ": while the queue of " + id + " waits, the other exporters get no totals"
	case c.cumulative(pipeline):
		return ""
	case !g.waits:
		return g.of + ": senders do not wait for " + id + ", and the other exporters get what they repeat"
	case !waits:
		return g.of + ": " + id + " refuses, or its full queue does, and the other exporters get the same again"
	case queued && e.SendingQueue.Storage == "" || e.RetryOnFailure.MaxElapsedTime != "0s":
		return g.of + ": " + id + " has a queue that is not on disk, or gives up"
	}
	return ""
}

// read merges files to a configuration, as --config does.
func read(t *testing.T, files []string) *pipelines {
	t.Helper()
	merged := confmap.New()
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		// If a variable names a component, check its default.
		text = regexp.MustCompile(`\$\{env:TASKER_\w+_EXPORTER:-([^}]+)\}`).ReplaceAll(text, []byte("$1"))
		var one map[string]any
		require.NoError(t, yaml.Unmarshal(text, &one), file)
		require.NoError(t, merged.Merge(confmap.NewFromStringMap(one)), file)
	}
	text, err := yaml.Marshal(merged.ToStringMap())
	require.NoError(t, err)
	var config pipelines
	require.NoError(t, yaml.Unmarshal(text, &config))
	return &config
}

// configurations returns those of the repository: each file with pipelines and receivers alone, and merged with others as
// in the commands of its comments.
func configurations(t *testing.T) (all [][]string) {
	t.Helper()
	command := regexp.MustCompile(`(?m)^#.*otelcol-tasker((?: --config \S+)+)`)
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && path != ".." && (strings.HasPrefix(name, ".") || slices.Contains([]string{"testdata", "bin", "dist", "data", "node_modules"}, name)) {
			return filepath.SkipDir
		}
		if extension := filepath.Ext(path); extension != ".yaml" && extension != ".yml" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil || !regexp.MustCompile(`(?m)^ *pipelines:`).Match(text) {
			return err
		}
		if regexp.MustCompile(`(?m)^receivers:`).Match(text) {
			all = append(all, []string{path})
		}
		merged := command.FindAllStringSubmatch(string(text), -1)
		for _, match := range merged {
			var files []string
			for _, name := range strings.Fields(strings.ReplaceAll(match[1], "--config", "")) {
				files = append(files, located(t, name))
			}
			all = append(all, files)
		}
		require.True(t, len(merged) > 0 || all != nil && slices.Equal(all[len(all)-1], []string{path}),
			"%s has pipelines: say in a comment with which configurations it is merged", path)
		return nil
	})
	require.NoError(t, err)
	return all
}

// located returns the path of a file named in a comment: relative to the repository, or beside files of the same purpose.
func located(t *testing.T, name string) string {
	t.Helper()
	for _, directory := range []string{"..", "../deploy/otelcol", "../examples"} {
		if path := filepath.Join(directory, name); fileExists(path) {
			return path
		}
	}
	require.Failf(t, "a comment names a file that is not there", "%s", name)
	return ""
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestFanOutsRepeatNothing checks every shipped configuration and documented combination: no exporter fails while its
// destination is unavailable if others receive the same data in the same call. It must have a persistent queue that blocks
// when full, or block itself. Otherwise the others would receive the same items at each retry.
func TestFanOutsRepeatNothing(t *testing.T) {
	all := configurations(t)
	for _, files := range all {
		assert.Empty(t, read(t, files).mistakes(), "%v", files)
	}
	var names []string
	for _, files := range all {
		names = append(names, strings.Join(files, " "))
	}
	for _, want := range []string{
		"../config.yaml", "../deploy/otelcol/standalone.yaml", "../deploy/otelcol/agent.yaml", "../deploy/otelcol/gateway.yaml", "../config.yaml ../examples/send-on.yaml",
		"../config.yaml ../examples/send-on.yaml ../examples/tail-sampling.yaml", "../deploy/otelcol/gateway.yaml ../examples/tail-sampling.yaml",
	} {
		assert.Contains(t, names, want)
	}
	// Files that are merged elsewhere, as by Helm or Kubernetes, are merged with files without pipelines.
	for _, values := range []string{"helm/values.yaml", "compose/compose.yaml", "kubernetes/base/statefulset.yaml", "kubernetes/two-tier/agent.yaml"} {
		text, err := os.ReadFile(values)
		require.NoError(t, err)
		assert.NotContains(t, string(text), "pipelines:", values)
	}
}

// The rule finds violations.
func TestFanOutMistakes(t *testing.T) {
	const refuses, waits = "otlp_http/records refuses", "while the queue of otlp_http waits"
	for name, tt := range map[string]struct {
		change func(*pipelines)
		want   string
	}{
		"records": {func(c *pipelines) {
			c.Exporters["otlp_http/records"].SendingQueue.BlockOnOverflow = false
		}, "traces: " + refuses},
		"no queue": {func(c *pipelines) {
			e := c.Exporters["otlp_http/traces"]
			e.SendingQueue = nil
			c.Exporters["otlp_http/traces"] = e
		}, "traces: otlp_http/traces refuses"},
		"in memory": {func(c *pipelines) {
			c.Exporters["otlp_http/traces"].SendingQueue.Storage = ""
		}, "traces: otlp_http/traces has a queue that is not on disk"},
		"a second destination of records": {func(c *pipelines) {
			records := c.Service.Pipelines["logs/records"]
			records.Exporters = append(records.Exporters, "otlp_http/other")
			c.Service.Pipelines["logs/records"] = records
		}, "logs/events by routed_events: senders do not wait for otlp_http/other"},
		"metrics that wait": {func(c *pipelines) {
			metrics := c.Service.Pipelines["metrics"]
			metrics.Exporters = append(metrics.Exporters, "otlp_http")
			c.Service.Pipelines["metrics"] = metrics
			c.Exporters["otlp_http"] = c.Exporters["otlp_http/traces"]
		}, "metrics: " + waits},
		"beside the router's connectors": {func(c *pipelines) {
			events := c.Service.Pipelines["logs/events"]
			events.Exporters = append(events.Exporters, "otlp_http/records", "debug")
			c.Service.Pipelines["logs/events"] = events
		}, "logs/events: senders do not wait for otlp_http/records"},
		"differences": {func(c *pipelines) {
			connector := c.Connectors["span_to_metrics"]
			connector.AggregationTemporality = "delta"
			c.Connectors["span_to_metrics"] = connector
		}, "metrics: senders do not wait for tasker_csv"},
	} {
		t.Run(name, func(t *testing.T) {
			config := read(t, []string{"otelcol/standalone.yaml"})
			require.Empty(t, config.mistakes())
			tt.change(config)
			assert.Contains(t, strings.Join(config.mistakes(), "\n"), tt.want)
		})
	}
}
