// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

const recipesPage = "../docs/recipes.md"

// vendor simulates a service: it counts requests with the required header by path.
type vendor struct {
	*httptest.Server
	mu       sync.Mutex
	requests map[string]int
}

func newVendor(t *testing.T, header, value string) *vendor {
	t.Helper()
	v := &vendor{requests: map[string]int{}}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); len(body) == 0 || header != "" && r.Header.Get(header) != value {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		v.requests[r.URL.Path]++
	}))
	t.Cleanup(v.Close)
	return v
}

func (v *vendor) paths() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var paths []string
	for path := range v.requests {
		paths = append(paths, path)
	}
	return paths
}

// TestRecipes checks that with each recipe the data arrives, with the recipe's credentials.
func TestRecipes(t *testing.T) {
	lines, _ := streamtest.Generate(streamtest.Options{Tasks: 5, Seed: 71, Failures: true})
	for _, test := range []struct {
		name, block, address string
		environment          []string
		header, value        string
		paths                []string
	}{
		{"Honeycomb", "otlp_http/honeycomb:", "HONEYCOMB_ENDPOINT", []string{"HONEYCOMB_API_KEY=key"}, "x-honeycomb-team", "key", []string{"/v1/traces", "/v1/logs"}},
		{"Grafana Cloud", "otlp_http/grafana:", "GRAFANA_ENDPOINT", []string{"GRAFANA_INSTANCE=1", "GRAFANA_TOKEN=t"}, "Authorization", "Basic MTp0", []string{"/v1/traces", "/v1/metrics", "/v1/logs"}},
		{"Loki", "otlp_http/loki:", "LOKI_ENDPOINT", nil, "", "", []string{"/"}},
		{"Elastic", "otlp_http/elastic:", "ELASTIC_ENDPOINT", []string{"ELASTIC_API_KEY=key"}, "Authorization", "ApiKey key", []string{"/v1/traces", "/v1/metrics", "/v1/logs"}},
		{"SigNoz", "otlp_http/signoz:", "SIGNOZ_ENDPOINT", []string{"SIGNOZ_KEY=key"}, "signoz-ingestion-key", "key", []string{"/v1/traces", "/v1/metrics", "/v1/logs"}},
		{"remote write", "processors:\n  resource/instance:", "REMOTE_WRITE_ENDPOINT", nil, "X-Scope-OrgID", "tasker", []string{"/"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, test.header, test.value)
			address := v.URL
			if len(test.paths) == 1 {
				address += "/"
			}
			c := startShipped(t, settings{files: []string{"../config.yaml", blockOf(t, recipesPage, test.block)}}.
				with(append(test.environment, test.address+"="+address)...))
			c.send(lines)
			await(t, time.Minute, "every signal", func() bool {
				arrived := v.paths()
				for _, path := range test.paths {
					if !strings.Contains(" "+strings.Join(arrived, " ")+" ", " "+path+" ") {
						return false
					}
				}
				return true
			}, func() any { return fmt.Sprint(v.paths(), c.output.tail()) })
			assert.Zero(t, c.stop())
		})
	}
	for name, variable := range map[string]string{"otlp_grpc/jaeger:": "JAEGER_ENDPOINT", "otlp_grpc/datadog:": "DATADOG_AGENT"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sink := newSink(t)
			c := startShipped(t, settings{files: []string{"../config.yaml", blockOf(t, recipesPage, name)}}.with(variable+"="+sink.address))
			c.send(lines)
			awaitTasks(t, sink, 5)
			assert.Zero(t, c.stop())
		})
	}
	t.Run("records as files", func(t *testing.T) {
		t.Parallel()
		table := filepath.Join(t.TempDir(), "records.csv")
		c := startShipped(t, settings{files: []string{"../config.yaml", blockOf(t, recipesPage, "tasker_csv/records:")}}.with("TASKER_RECORDS="+table))
		c.send(lines)
		await(t, time.Minute, "rows of records", func() bool {
			text, err := os.ReadFile(table)
			return err == nil && strings.Count(string(text), " started") >= 5
		}, func() any { return c.output.tail() })
		assert.Zero(t, c.stop())
	})
	t.Run("basic auth", func(t *testing.T) {
		t.Parallel()
		c := startShipped(t, settings{files: []string{"../config.yaml", blockOf(t, recipesPage, "basicauth/scrape:")}}.with("METRICS_PASSWORD=secret"))
		for password, want := range map[string]int{"": http.StatusUnauthorized, "wrong": http.StatusUnauthorized, "secret": http.StatusOK} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+c.scrape+"/metrics", http.NoBody)
			require.NoError(t, err)
			request.SetBasicAuth("prometheus", password)
			answer, err := http.DefaultClient.Do(request)
			require.NoError(t, err)
			answer.Body.Close()
			assert.Equal(t, want, answer.StatusCode, password)
		}
		assert.Zero(t, c.stop())
	})
}

// TestKafkaRecipe connects an agent and a gateway to a broker that requires TLS and a password.
func TestKafkaRecipe(t *testing.T) {
	t.Parallel()
	folder := certificate(t)
	broker := startBroker(t, "-cert", filepath.Join(folder, "tls.crt"), "-key", filepath.Join(folder, "tls.key"),
		"-user", "collector", "-password", "secret")
	sink := newSink(t)
	sinkAt := filepath.Join(t.TempDir(), "sink.yaml")
	require.NoError(t, os.WriteFile(sinkAt, fmt.Appendf(nil, `
exporters: {otlp_grpc/sink: {endpoint: %q, tls: {insecure: true}}}
service: {pipelines: {traces: {exporters: [otlp_grpc/sink, span_to_metrics, routed_events]}}}
`, sink.address), 0o600))
	environment := []string{"KAFKA_BROKERS=" + broker.address, "KAFKA_USER=collector", "KAFKA_PASSWORD=secret",
		"KAFKA_CA=" + filepath.Join(folder, "tls.crt"), "TASKER_TRACES_EXPORTER=debug", "TASKER_RECORDS_EXPORTER=debug/records"}
	gateway := startShipped(t, settings{files: []string{"../deploy/otelcol/gateway.yaml", blockOf(t, recipesPage, "kafka/spans:"), sinkAt}}.with(environment...))
	agent := startShipped(t, settings{files: []string{"../deploy/otelcol/agent.yaml", blockOf(t, recipesPage, "exporters:\n  kafka:")}}.with(environment...))
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 20, Seed: 72})
	agent.send(lines)
	awaitTasks(t, sink, len(truth))
	assert.Zero(t, agent.stop())
	assert.Zero(t, gateway.stop())
	equal(t, streamtest.Compare(truth, sink.all()))
}

// TestPodAttributesManifest checks that the Builder accepts the recipe's processors with this distribution's versions. It
// does not compile, because not every module proxy has their dependencies.
func TestPodAttributesManifest(t *testing.T) {
	type manifest struct {
		Processors []struct {
			Module string `json:"gomod"`
		} `json:"processors"`
	}
	read := func(path string) (text string, m manifest) {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal(content, &m))
		return string(content), m
	}
	added, wanted := read(blockOf(t, recipesPage, "k8sattributesprocessor"))
	shipped, _ := read("../builder-config.yaml")
	require.Len(t, wanted.Processors, 2)
	for _, processor := range wanted.Processors {
		_, version, _ := strings.Cut(processor.Module, " ")
		assert.Contains(t, shipped, "opentelemetry-collector-contrib/processor/filterprocessor "+version)
	}
	_, lines, found := strings.Cut(added, "processors:\n")
	require.True(t, found)
	folder := t.TempDir()
	both := strings.Replace(shipped, "\nprocessors:\n", "\nprocessors:\n"+lines, 1)
	both = strings.Replace(both, "output_path: ./cmd/otelcol-tasker", "output_path: "+folder, 1)
	path := filepath.Join(folder, "builder-config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(both), 0o600))
	build := exec.Command("go", "tool", "-modfile=tools/go.mod", "builder", "--config", path, "--skip-get-modules", "--skip-compilation")
	build.Dir = ".."
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	generated, err := os.ReadFile(filepath.Join(folder, "components.go"))
	require.NoError(t, err)
	for _, want := range []string{"k8sattributesprocessor.NewFactory()", "resourcedetectionprocessor.NewFactory()", "spanhierarchy.NewFactory()"} {
		assert.Contains(t, string(generated), want)
	}
}

// TestOwnDistribution builds the recipe's distribution of single components of this repository in an empty folder.
func TestOwnDistribution(t *testing.T) {
	if os.Getenv("TASKER_PEERS") == "" {
		t.Skip("needs the OpenTelemetry Collector Builder and minutes (make test-peers)")
	}
	text, err := os.ReadFile(blockOf(t, recipesPage, "my-collector"))
	require.NoError(t, err)
	here, err := filepath.Abs("..")
	require.NoError(t, err)
	var manifest []string
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, "# yours") {
			manifest = append(manifest, strings.Replace(line, " v1.2.3", " v0.0.0", 1))
		}
	}
	manifest = append(manifest, "replaces: [github.com/tasker-otel/otelcol-tasker => "+here+"]\n")
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "builder-config.yaml"), []byte(strings.Join(manifest, "")), 0o600))
	builder := filepath.Join(folder, "builder")
	run := func(dir, program string, args ...string) string {
		command := exec.Command(program, args...)
		command.Dir = dir
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	run("../tools", "go", "build", "-o", builder, "go.opentelemetry.io/collector/cmd/builder")
	run(folder, builder, "--config", "builder-config.yaml")
	components := run(folder, filepath.Join(folder, "build/my-collector"), "components")
	for _, want := range []string{"name: tasker_events", "name: event_router", "name: debug"} {
		assert.Contains(t, components, want)
	}
	assert.NotContains(t, components, "span_hierarchy", "components are taken one by one")
}
