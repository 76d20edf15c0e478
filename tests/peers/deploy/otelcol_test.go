// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"sigs.k8s.io/yaml"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/export"
)

var (
	// variable matches the environment variables of a configuration.
	variable = regexp.MustCompile(`\$\{env:(\w+)(:-[^}]*)?\}`)
	// listening matches the ports on which it listens.
	listening = regexp.MustCompile(`(?m)^\s+(?:endpoint: \$\{env:TASKER_HOST:-localhost\}:|port: )(\d+)$`)
)

func number(t *testing.T, text string) int32 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 32)
	require.NoError(t, err)
	return int32(n)
}

// stateful is the part of a configuration that determines where its state is.
type stateful struct {
	Processors map[string]struct {
		Storage string `json:"storage"`
	} `json:"processors"`
	Connectors map[string]struct {
		Storage string `json:"storage"`
	} `json:"connectors"`
	Exporters map[string]struct {
		SendingQueue *struct {
			Storage string `json:"storage"`
		} `json:"sending_queue"`
	} `json:"exporters"`
	Extensions map[string]struct {
		FSync bool `json:"fsync"`
	} `json:"extensions"`
	Service struct {
		Extensions []string `json:"extensions"`
		Pipelines  map[string]struct {
			Processors []string `json:"processors"`
		} `json:"pipelines"`
	} `json:"service"`
}

// TestStateIsOnDisk checks that all state is on the storage extension, with fsync, and that memory_limiter is first in
// every pipeline that can reject data.
func TestStateIsOnDisk(t *testing.T) {
	for _, name := range []string{"standalone", "agent", "gateway"} {
		text, err := os.ReadFile(filepath.Join("otelcol", name+".yaml"))
		require.NoError(t, err)
		var config stateful
		require.NoError(t, yaml.Unmarshal(text, &config))
		for _, processor := range []string{"event_router", "span_hierarchy"} {
			if settings, used := config.Processors[processor]; used {
				assert.Equal(t, "file_storage", settings.Storage, "%s: %s", name, processor)
			}
		}
		if settings, used := config.Connectors["span_to_metrics"]; used {
			assert.Equal(t, "file_storage", settings.Storage, "%s: span_to_metrics", name)
		}
		for exporter, settings := range config.Exporters {
			if kind, _, _ := strings.Cut(exporter, "/"); kind == "otlp_http" || kind == "kafka" {
				require.NotNil(t, settings.SendingQueue, "%s: %s", name, exporter)
				assert.Equal(t, "file_storage", settings.SendingQueue.Storage, "%s: %s", name, exporter)
			}
		}
		assert.True(t, config.Extensions["file_storage"].FSync, name)
		assert.Contains(t, config.Service.Extensions, "file_storage", name)
		for pipeline, parts := range config.Service.Pipelines {
			if len(parts.Processors) > 0 {
				assert.Equal(t, "memory_limiter", parts.Processors[0], "%s: %s", name, pipeline)
			}
		}
	}
}

// TestCompactionStaysInTheState checks that compaction uses the state directory. Without a configured one the collector
// would create one below /var/lib, which requires root.
func TestCompactionStaysInTheState(t *testing.T) {
	compacting := 0
	for _, pattern := range []string{"otelcol/*.yaml", "../examples/*.yaml"} {
		paths, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, path := range paths {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			var config struct {
				Extensions struct {
					FileStorage struct {
						Directory  string `json:"directory"`
						Compaction *struct {
							Directory string `json:"directory"`
						} `json:"compaction"`
					} `json:"file_storage"`
				} `json:"extensions"`
			}
			require.NoError(t, yaml.Unmarshal(text, &config), path)
			if storage := config.Extensions.FileStorage; storage.Compaction != nil {
				compacting++
				assert.Equal(t, storage.Directory, storage.Compaction.Directory, path)
			}
		}
	}
	assert.Equal(t, 4, compacting)
}

// TestReceiversHaveTheirLimits checks that configurations for remote senders have the limits of config.yaml.
func TestReceiversHaveTheirLimits(t *testing.T) {
	limits := func(path string) map[string]any {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		var config struct {
			Receivers struct {
				OTLP struct {
					Protocols map[string]map[string]any `json:"protocols"`
				} `json:"otlp"`
			} `json:"receivers"`
		}
		require.NoError(t, yaml.Unmarshal(text, &config))
		http := config.Receivers.OTLP.Protocols["http"]
		require.NotEmpty(t, http, path)
		delete(http, "endpoint")
		return http
	}
	want := limits("../config.yaml")
	require.Contains(t, want, "read_timeout")
	for _, name := range []string{"standalone", "agent"} {
		assert.Equal(t, want, limits(filepath.Join("otelcol", name+".yaml")), name)
	}
}

// TestPrometheusScrapesThePorts checks that prometheus.yml has the ports of the configurations.
func TestPrometheusScrapesThePorts(t *testing.T) {
	text, err := os.ReadFile("otelcol/standalone.yaml")
	require.NoError(t, err)
	scrape, err := os.ReadFile("prometheus/prometheus.yml")
	require.NoError(t, err)
	for _, port := range []string{"8888", "8889"} {
		assert.Contains(t, string(scrape), "[localhost:"+port+"]")
		found := false
		for _, match := range listening.FindAllStringSubmatch(string(text), -1) {
			found = found || match[1] == port
		}
		assert.True(t, found, port)
	}
}

// TestLabelsHaveUnderscores checks that Prometheus 3, which by default requests OpenTelemetry's names, is configured for
// the names that rules and dashboards use, those of Prometheus 2.
func TestLabelsHaveUnderscores(t *testing.T) {
	type step struct {
		Action      relabel.Action `json:"action"`
		Regex       string         `json:"regex"`
		Replacement string         `json:"replacement"`
	}
	var prometheus struct {
		ScrapeConfigs []struct {
			JobName string `json:"job_name"`
			Steps   []step `json:"metric_relabel_configs"`
		} `json:"scrape_configs"`
	}
	text, err := os.ReadFile("prometheus/prometheus.yml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &prometheus))
	var monitor struct {
		Spec struct {
			Endpoints []struct {
				Port  string `json:"port"`
				Steps []step `json:"metricRelabelings"`
			} `json:"endpoints"`
		} `json:"spec"`
	}
	text, err = os.ReadFile("kubernetes/monitoring/servicemonitor.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &monitor))
	of := map[string][]step{}
	for _, job := range prometheus.ScrapeConfigs {
		of["prometheus.yml "+job.JobName] = job.Steps
	}
	for _, endpoint := range monitor.Spec.Endpoints {
		of["servicemonitor.yaml "+endpoint.Port] = endpoint.Steps
	}
	for _, name := range []string{"prometheus.yml otelcol-tasker", "servicemonitor.yaml own-metrics"} {
		var configs []*relabel.Config
		for _, s := range of[name] {
			regex, err := relabel.NewRegexp(s.Regex)
			require.NoError(t, err)
			configs = append(configs, &relabel.Config{Action: s.Action, Regex: regex, Replacement: s.Replacement})
		}
		got := labels.NewBuilder(labels.FromStrings("http.response.status_code", "401", "otel.signal", "logs", "reason", "late"))
		require.True(t, relabel.ProcessBuilder(got, configs...))
		for label, value := range map[string]string{"http_response_status_code": "401", "otel_signal": "logs", "reason": "late"} {
			assert.Equal(t, value, got.Get(label), "%s: %s", name, label)
		}
	}
}

// TestExportsKnowWhenSeriesExpire checks that an export without settings assumes the expiration of the shipped
// configurations.
func TestExportsKnowWhenSeriesExpire(t *testing.T) {
	for _, path := range []string{"otelcol/standalone.yaml", "otelcol/gateway.yaml", "../config.yaml"} {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		var config map[string]any
		require.NoError(t, yaml.Unmarshal(text, &config))
		expiry, err := export.SeriesExpiryOf(confmap.NewFromStringMap(config))
		require.NoError(t, err, path)
		assert.Equal(t, export.DefaultSettings().SeriesExpiry, expiry, path)
	}
}

// TestPagesAreForThisMachine checks that zPages and live pages listen on localhost in every configuration.
func TestPagesAreForThisMachine(t *testing.T) {
	for _, path := range []string{"../config.yaml", "otelcol/standalone.yaml", "otelcol/agent.yaml", "otelcol/gateway.yaml"} {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		var config struct {
			Extensions map[string]struct {
				Endpoint string `json:"endpoint"`
			} `json:"extensions"`
			Service struct {
				Extensions []string `json:"extensions"`
			} `json:"service"`
		}
		require.NoError(t, yaml.Unmarshal(text, &config))
		for name, endpoint := range map[string]string{
			"zpages": "${env:TASKER_ZPAGES:-localhost:55679}", "tasker_pages": "${env:TASKER_PAGES:-localhost:8890}",
		} {
			assert.Contains(t, config.Service.Extensions, name, path)
			assert.Equal(t, endpoint, config.Extensions[name].Endpoint, path)
		}
	}
}
