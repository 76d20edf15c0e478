// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/check"
)

const root = "../../../"

// findings merges configurations, given as files or yaml:TEXT, and checks the result.
func findings(t *testing.T, uris ...string) []check.Finding {
	t.Helper()
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs:              uris,
		ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory(), envprovider.NewFactory(), yamlprovider.NewFactory()},
		DefaultScheme:     "env",
	})
	require.NoError(t, err)
	conf, err := resolver.Resolve(t.Context())
	require.NoError(t, err)
	findings, err := check.Check(conf)
	require.NoError(t, err)
	return findings
}

func TestNothingIsWrongWithWhatIsShipped(t *testing.T) {
	for _, files := range [][]string{
		{"config.yaml"},
		{"config.yaml", "examples/send-on.yaml"},
		{"config.yaml", "examples/durable.yaml"},
		{"config.yaml", "examples/durable.yaml", "examples/send-on.yaml"},
		{"deploy/otelcol/standalone.yaml"},
		{"deploy/otelcol/agent.yaml"},
		{"deploy/otelcol/gateway.yaml"},
	} {
		uris := make([]string, len(files))
		for i, file := range files {
			uris[i] = root + filepath.FromSlash(file)
		}
		assert.Empty(t, findings(t, uris...), files)
	}
	t.Setenv("TASKER_HOST", "0.0.0.0")
	assert.Len(t, findings(t, root+"deploy/otelcol/standalone.yaml"), 3, "three listeners for everybody")
	assert.Empty(t, findings(t, root+"deploy/otelcol/standalone.yaml", root+"deploy/otelcol/secure.yaml"))
}

func TestFindings(t *testing.T) {
	const (
		stock   = root + "config.yaml"
		durable = root + "examples/durable.yaml"
		sendOn  = root + "examples/send-on.yaml"
	)
	for name, test := range map[string]struct {
		files  []string
		change string
		want   []string // level, key and value
	}{
		"no such storage": {
			[]string{stock}, `{processors: {span_hierarchy: {storage: file_storage/gone}, event_router: {storage: file_storage/gone}}, connectors: {routed_events: {storage: file_storage/gone}, span_to_metrics: {storage: file_storage/gone}}}`,
			[]string{"error connectors::routed_events::storage file_storage/gone", "error connectors::span_to_metrics::storage file_storage/gone", "error processors::event_router::storage file_storage/gone", "error processors::span_hierarchy::storage file_storage/gone"},
		},
		"storage not in the service": {
			[]string{stock, durable}, `{service: {extensions: [otlp_limits, healthcheckv2, tasker_pages, zpages]}}`,
			[]string{"error connectors::routed_events::storage file_storage", "error connectors::span_to_metrics::storage file_storage", "error processors::event_router::storage file_storage", "error processors::span_hierarchy::storage file_storage"},
		},
		"an extension in vain": {
			[]string{stock}, `{extensions: {"zpages/b": {}, "pprof / a": {}}}`,
			[]string{"warning extensions::pprof / a pprof/a", "warning extensions::zpages/b zpages/b"},
		},
		"storage that stores nothing": {
			[]string{stock, durable}, `{processors: {span_hierarchy: {storage: healthcheckv2}}}`,
			[]string{"error processors::span_hierarchy::storage healthcheckv2"},
		},
		"storage of a component in no pipeline": {
			[]string{stock}, `{processors: {span_hierarchy/unused: {storage: gone}}}`, nil,
		},
		"storage of a queue": {
			[]string{stock, sendOn}, `{exporters: {otlp_http/traces: {sending_queue: {storage: file_storage/gone}}}}`,
			[]string{"error exporters::otlp_http/traces::sending_queue::storage file_storage/gone"},
		},
		"authenticators": {
			[]string{stock}, `{receivers: {tasker_events: {auth: {authenticator: basicauth}}, otlp: {protocols: {grpc: {auth: {authenticator: healthcheckv2}}}}}}`,
			[]string{"error receivers::otlp::protocols::grpc::auth::authenticator healthcheckv2", "error receivers::tasker_events::auth::authenticator basicauth"},
		},
		"middlewares": {
			[]string{stock}, `{receivers: {tasker_events: {middlewares: [{id: healthcheckv2}, {id: gone}]}}}`,
			[]string{"error receivers::tasker_events::middlewares[1]::id gone"},
		},
		"ids with spaces": {
			[]string{stock, durable}, `{extensions: {"file_storage / b": {directory: x}}, processors: {span_hierarchy: {storage: "file_storage/b"}}, service: {extensions: [otlp_limits, healthcheckv2, tasker_pages, zpages, file_storage, "file_storage/ b"]}}`, nil,
		},
		"former names": {
			[]string{stock}, `{receivers: {taskerevents: {}, taskerevents/b: {endpoint: "localhost:1"}}, service: {pipelines: {logs/events: {receivers: [taskerevents, otlp]}}}}`,
			[]string{"warning receivers::taskerevents taskerevents"},
		},
		"batches of events that nothing can read": {
			[]string{stock}, `{service: {pipelines: {traces: {processors: [memory_limiter]}}}}`,
			[]string{"error service::pipelines::traces::processors [memory_limiter]"},
		},
		"batches of log records that nothing can read": {
			[]string{stock}, `{receivers: {tasker_events: {log_records: batched}}, service: {pipelines: {logs/events: {exporters: [routed_events, span_to_metrics, debug]}}}}`,
			[]string{"error receivers::tasker_events::log_records batched"},
		},
		"log records that can be read": {
			[]string{stock}, `{receivers: {tasker_events: {log_records: batched}}}`, nil,
		},
		"a bulky value is kept and not decoded": {
			[]string{stock}, `{processors: {event_router: {payload: {include: [task_context]}}}}`,
			[]string{"warning processors::event_router::payload::include [task_context]"},
		},
		"a bulky value is decoded and not kept": {
			[]string{stock}, `{processors: {event_router: {payload: {include: [task_context]}}}, receivers: {tasker_events: {payload: {include: [task_context, step_results]}}}}`,
			[]string{"warning receivers::tasker_events::payload::include [task_context, step_results]"},
		},
		"a bulky value is decoded and kept": {
			[]string{stock}, `{processors: {event_router: {payload: {include: [task_context]}}}, receivers: {tasker_events: {payload: {include: [task_context]}}}}`, nil,
		},
		"a metric of a value that is not decoded": {
			[]string{stock}, `{connectors: {span_to_metrics: {metrics: {limit: {type: histogram, unit: "1", event: "step.*", value: retry_limit}, more: {type: counter, event: step.completed, dimensions: [{name: step_name}]}}}}}`,
			[]string{"warning connectors::span_to_metrics::metrics::limit retry_limit"},
		},
		"records of values that are not decoded": {
			[]string{stock}, `{connectors: {routed_events: {announcements: all}}}`,
			[]string{"warning connectors::routed_events::announcements all"},
		},
		"values that are decoded": {
			[]string{stock}, `{receivers: {tasker_events: {payload: {decode: all}}}, connectors: {routed_events: {announcements: all}, span_to_metrics: {metrics: {limit: {type: histogram, unit: "1", event: "step.*", value: retry_limit}}}}}`, nil,
		},
		"memory_limiter is not first": {
			[]string{stock}, `{service: {pipelines: {traces: {processors: [span_hierarchy, memory_limiter]}}}}`,
			[]string{"warning service::pipelines::traces::processors [span_hierarchy, memory_limiter]"},
		},
		"no router": {
			[]string{stock}, `{service: {pipelines: {logs/events: {processors: [memory_limiter]}}}}`,
			[]string{"warning service::pipelines::logs/events::processors [memory_limiter]"},
		},
		"a sample is measured": {
			[]string{stock}, `{processors: {tail_sampling: {}}, service: {pipelines: {traces: {processors: [memory_limiter, span_hierarchy, tail_sampling]}}}}`,
			[]string{"warning service::pipelines::traces::processors [memory_limiter, span_hierarchy, tail_sampling]"},
		},
		"trees of a sample": {
			[]string{stock}, `{processors: {probabilistic_sampler: {}}, service: {pipelines: {traces: {processors: [memory_limiter, probabilistic_sampler, span_hierarchy]}}}}`,
			[]string{"warning service::pipelines::traces::processors [memory_limiter, probabilistic_sampler, span_hierarchy]"},
		},
		"sampled aside": {
			[]string{stock}, `{processors: {tail_sampling: {}}, connectors: {forward: {}}, service: {pipelines: {traces: {exporters: [forward, span_to_metrics, routed_events]}, traces/kept: {receivers: [forward], processors: [tail_sampling], exporters: [debug]}}}}`, nil,
		},
		"some have no storage": {
			[]string{stock, durable}, `{processors: {event_router: {storage: null}}, connectors: {span_to_metrics: {storage: null}}}`,
			[]string{"warning connectors::span_to_metrics::storage ", "warning processors::event_router::storage "},
		},
		"records of announcements": {
			[]string{stock}, `{service: {pipelines: {traces: {exporters: [debug, span_to_metrics]}}}}`,
			[]string{"warning connectors::routed_events::announcements "},
		},
		"records of announcements, as wanted": {
			[]string{stock}, `{receivers: {tasker_events: {payload: {decode: all}}}, connectors: {routed_events: {announcements: all}}, service: {pipelines: {traces: {exporters: [debug, span_to_metrics]}}}}`, nil,
		},
		"recorded facts are not kept": {
			[]string{stock, durable}, `{connectors: {routed_events: {storage: null}}}`, []string{"warning connectors::routed_events::storage "},
		},
		"a router that remembers nothing": {
			[]string{stock, durable}, `{processors: {event_router: {storage: null, deduplicate: {enabled: false}}}}`, nil,
		},
		"a batch before the trees": {
			[]string{stock}, `{processors: {batch: {}}, service: {pipelines: {traces: {processors: [memory_limiter, batch, span_hierarchy]}}}}`,
			[]string{"error service::pipelines::traces::processors [memory_limiter, batch, span_hierarchy]"},
		},
		"a batch before the numbers": {
			[]string{stock}, `{processors: {batch: {}}, service: {pipelines: {traces: {processors: [memory_limiter, span_hierarchy, batch]}}}}`,
			[]string{"error service::pipelines::traces::processors [memory_limiter, span_hierarchy, batch]"},
		},
		"a batch before the storage": {
			[]string{stock, durable}, `{processors: {batch: {}}, service: {pipelines: {logs/events: {processors: [memory_limiter, event_router, batch]}, metrics: {processors: [batch]}}}}`,
			[]string{"warning service::pipelines::logs/events::processors [memory_limiter, event_router, batch]"},
		},
		"a queue in memory": {
			[]string{stock, durable, sendOn}, `{exporters: {otlp_http/traces: {sending_queue: {storage: null}}}}`,
			[]string{"warning exporters::otlp_http/traces::sending_queue::storage "},
		},
		"no queue": {
			[]string{stock, durable, sendOn}, `{exporters: {otlp_http/traces: {sending_queue: {enabled: false, storage: null}}}}`, nil,
		},
		"series expire at once": {
			[]string{stock}, `{exporters: {prometheus: {metric_expiration: 0s}, tasker_csv: {series_expiration: 5s}}}`,
			[]string{"warning exporters::prometheus::metric_expiration 0s", "warning exporters::tasker_csv::series_expiration 5s"},
		},
		"series expire between two flushes": {
			[]string{stock}, `{exporters: {prometheus: {metric_expiration: null}, tasker_csv: {series_expiration: 0s}}, connectors: {span_to_metrics: {metrics_flush_interval: 10m}}}`,
			[]string{"warning exporters::prometheus::metric_expiration "},
		},
		"no exemplars": {
			[]string{stock}, `{exporters: {prometheus: {enable_open_metrics: false}}}`,
			[]string{"warning exporters::prometheus::enable_open_metrics false"},
		},
		"no exemplars wanted": {
			[]string{stock}, `{exporters: {prometheus: {enable_open_metrics: false}}, connectors: {span_to_metrics: {exemplars: {enabled: false}}}}`, nil,
		},
		"deltas for remote write": {
			[]string{stock}, `{exporters: {prometheusremotewrite: {}}, connectors: {span_to_metrics: {aggregation_temporality: AGGREGATION_TEMPORALITY_DELTA}}, service: {pipelines: {metrics: {exporters: [prometheusremotewrite]}}}}`,
			[]string{"error connectors::span_to_metrics::aggregation_temporality AGGREGATION_TEMPORALITY_DELTA", "warning exporters::prometheusremotewrite prometheusremotewrite"},
		},
		"deltas for a scrape": {
			[]string{stock}, `{connectors: {span_to_metrics: {aggregation_temporality: delta}}}`,
			[]string{"warning connectors::span_to_metrics::aggregation_temporality delta"},
		},
		"measured twice": {
			[]string{stock}, `{connectors: {span_to_metrics/b: {}}, service: {pipelines: {logs/events: {exporters: [span_to_metrics, span_to_metrics/b, routed_events]}, metrics: {receivers: [span_to_metrics, span_to_metrics/b]}}}}`,
			[]string{"warning service::pipelines::metrics::receivers [span_to_metrics, span_to_metrics/b]"},
		},
		"measured apart": {
			[]string{stock}, `{connectors: {span_to_metrics/b: {}}, service: {pipelines: {logs/events: {exporters: [span_to_metrics/b, routed_events]}, metrics: {receivers: [span_to_metrics, span_to_metrics/b]}}}}`, nil,
		},
		"open to everybody": {
			[]string{stock}, `{receivers: {tasker_events: {endpoint: ":4319"}, otlp: {protocols: {grpc: {endpoint: "[::]:4317"}, http: {endpoint: "0.0.0.0:4318", tls: {client_ca_file: ca.pem}}}}}, extensions: {pprof: {endpoint: "0.0.0.0:1777"}, tasker_pages: {endpoint: "0.0.0.0:8890"}}, service: {extensions: [otlp_limits, healthcheckv2, tasker_pages, zpages, pprof]}}`,
			[]string{"warning extensions::pprof::endpoint 0.0.0.0:1777", "warning extensions::tasker_pages::endpoint 0.0.0.0:8890", "warning receivers::otlp::protocols::grpc::endpoint [::]:4317", "warning receivers::tasker_events::endpoint :4319"},
		},
		"keys that do not exist": {
			[]string{stock}, `{proccessors: {}, receivers: {tasker_events: {max_itms: 5, tls: {cert_fil: a, passwrd: b}}}, processors: {span_hierarchy: {storge: file_storage}, event_router/b: {deduplicate: {max_entrys: 7}, routes: [{event: a, signal: [logs]}]}}, connectors: {span_to_metrics: {metrics: {a: {tipe: counter}}, histogram: {explicit: {bucketz: []}}}}, exporters: {taskercsv: {nothing_like_it: []}}, service: {pipeline: {}, pipelines: {logs/records: {exporter: []}}}}`,
			[]string{
				"error connectors::span_to_metrics::histogram::explicit::bucketz ",
				"error connectors::span_to_metrics::metrics::a::tipe counter",
				"error exporters::taskercsv::nothing_like_it ",
				"error proccessors ",
				"error processors::event_router/b::deduplicate::max_entrys 7",
				"error processors::event_router/b::routes[0]::signal ",
				"error processors::span_hierarchy::storge file_storage",
				"error receivers::tasker_events::max_itms 5",
				"error receivers::tasker_events::tls::cert_fil a",
				"error receivers::tasker_events::tls::passwrd [REDACTED]",
				"error service::pipeline ",
				"error service::pipelines::logs/records::exporter ",
			},
		},
		"what the collector itself complains of": {
			[]string{stock}, `{processors: {"": {}}, service: {pipelines: {metrics: {exporters: [gone]}, logs/records: {processors: 5}}}}`, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range findings(t, slices.Concat(test.files, []string{"yaml:" + test.change})...) {
				got = append(got, string(f.Level)+" "+f.Key+" "+f.Value)
				assert.NotEmpty(t, f.Problem)
				assert.NotEmpty(t, f.Remedy)
			}
			assert.Equal(t, test.want, got)
		})
	}
}

func TestNoConfiguration(t *testing.T) {
	_, err := check.Check(confmap.New())
	require.ErrorContains(t, err, "service::pipelines")
}

// FuzzCheck checks that the check of any configuration ends.
func FuzzCheck(f *testing.F) {
	f.Add([]byte(`{receivers: {otlp: {protocols: {grpc: [1]}}}, service: {extensions: {a: b}, pipelines: {traces: {receivers: [otlp, 5, null]}}}}`))
	f.Add([]byte(`{extensions: {x/: {storage: x}}, service: {extensions: [x/], pipelines: {metrics: null}}}`))
	f.Fuzz(func(_ *testing.T, text []byte) {
		retrieved, err := confmap.NewRetrievedFromYAML(text)
		if err != nil {
			return
		}
		conf, err := retrieved.AsConf()
		if err != nil {
			return
		}
		_, _ = check.Check(conf)
	})
}
