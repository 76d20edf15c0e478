// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// migratingRow is a row of the page's tables: the subject, its counterpart, and a note.
type migratingRow struct{ of, here, note string }

// tableRow matches the rows of tables.
var tableRow = regexp.MustCompile(`(?m)^\| (.+) \|$`)

// migratingRows returns the rows of all tables without headers.
func migratingRows(t *testing.T) (rows []migratingRow) {
	t.Helper()
	page, err := os.ReadFile(migratingPage)
	require.NoError(t, err)
	for _, line := range tableRow.FindAllStringSubmatch(string(page), -1) {
		cells := strings.Split(line[1], " | ")
		row := migratingRow{of: cells[0], here: strings.TrimSuffix(cells[1], " |")}
		if len(cells) > 2 {
			row.note = cells[2]
		}
		if !strings.HasPrefix(row.here, "here") {
			rows = append(rows, row)
		}
	}
	return rows
}

// settingKey matches a setting of a component or of any exporter, commandText a command, localLink the target of a link.
var (
	settingKey  = regexp.MustCompile("`((?:[a-z_]+::)+[a-z_]+(?:\\[\\]\\.[a-z_]+)?)`")
	commandText = regexp.MustCompile("`((?:[A-Z_]+=\\S+ )?taskerotel [^`]+)`")
	localLink   = regexp.MustCompile(`\]\(([^)#]+)`)
)

// migratingValues returns values for all settings in the rows.
func migratingValues() map[string]string {
	return map[string]string{
		"event_router::routes[].signals":                 "[logs]",
		"event_router::routes[].sampling_rate":           "0.5",
		"event_router::routes":                           "[{event: order.shipped, signals: [traces, metrics]}]",
		"event_router::sampling_rate":                    "0.5",
		"event_router::filtered_events":                  "[step.before_handle, workflow.*]",
		"tasker_events::correlation_id_header":           "X-Request-ID",
		"routed_events::min_severity":                    "warn",
		"routed_events::log_body":                        "json",
		"prometheus::endpoint":                           "localhost:9999",
		"prometheus::auth::authenticator":                "basicauth/metrics",
		"prometheus::tls":                                "{cert_file: tls.crt, key_file: tls.key}",
		"prometheus::metric_expiration":                  "48h",
		"tasker_csv::path":                               "metrics.csv",
		"span_hierarchy::performance::enabled":           "true",
		"span_hierarchy::performance::slow_query":        "1s",
		"span_hierarchy::performance::slow_step":         "1s",
		"span_hierarchy::performance::slow_task":         "1s",
		"span_hierarchy::performance::memory_spike_mb":   "100",
		"span_to_metrics::aggregation_cardinality_limit": "1000",
		"span_to_metrics::series_expiration":             "48h",
		"span_to_metrics::storage":                       "file_storage",
		"sending_queue::batch::min_size":                 "1000",
	}
}

// kinds returns the sections of the components.
func kinds() map[string]string {
	return map[string]string{
		"tasker_events": "receivers", "event_router": "processors", "span_hierarchy": "processors", "routed_events": "connectors",
		"span_to_metrics": "connectors", "prometheus": "exporters", "tasker_csv": "exporters",
	}
}

// settingOverride returns a configuration with a setting.
func settingOverride(t *testing.T, key, value string) string {
	t.Helper()
	if list, of, is := strings.Cut(key, "[]."); is {
		key, value = list, fmt.Sprintf("[{event: step.failed, %s: %s}]", of, value)
	}
	if strings.HasPrefix(key, "sending_queue::") {
		key = "otlp_http/records::" + key
	}
	path := strings.Split(key, "::")
	kind := kinds()[path[0]]
	if path[0] == "otlp_http/records" {
		kind = "exporters"
	}
	require.NotEmpty(t, kind, "the component of %s", key)
	for _, name := range slices.Backward(path) {
		value = fmt.Sprintf("{%q: %s}", name, value)
	}
	text := fmt.Sprintf("%s: %s\n", kind, value)
	if strings.Contains(value, "basicauth/metrics") {
		text += "extensions: {basicauth/metrics: {htpasswd: {inline: \"a:b\"}}}\n"
	}
	file := filepath.Join(t.TempDir(), "override.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// migratingBench is a collector that has measured a stream, for checking the rows.
type migratingBench struct {
	*shipped
	backend *product
	bin     string
}

// environmentOf is the page's replacement for RAILS_ENV.
const environmentOf = `
processors: {resource/environment: {attributes: [{key: deployment.environment.name, value: staging, action: upsert}]}}
service: {pipelines: {metrics: {processors: [resource/environment]}}}
`

func newMigratingBench(t *testing.T) *migratingBench {
	t.Helper()
	environment := filepath.Join(t.TempDir(), "environment.yaml")
	require.NoError(t, os.WriteFile(environment, []byte(environmentOf), 0o600))
	b := &migratingBench{backend: newBackend(t), bin: t.TempDir()}
	b.shipped = startShipped(t, settings{files: []string{"../deploy/otelcol/standalone.yaml", environment}}.with(
		"OTEL_EXPORTER_OTLP_ENDPOINT="+b.backend.url))
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 3, Seed: 17})
	b.send(lines)
	awaitTasks(t, b.backend.sink, len(truth))
	await(t, time.Minute, "metrics", func() bool {
		return strings.Contains(b.text(), "tasker_task_executions_total")
	}, func() any { return b.output.tail() })
	cli, err := builtCLI()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(cli, filepath.Join(b.bin, "taskerotel")))
	return b
}

func (b *migratingBench) text() string {
	body, _ := b.scrapeText(plainText)
	return string(body)
}

// command runs a shell command and returns its output and its directory.
func (b *migratingBench) command(t *testing.T, line string) (out, directory string) {
	t.Helper()
	words := regexp.MustCompile(`taskerotel (\w+)`).FindStringSubmatch(line)
	require.NotNil(t, words, line)
	line += map[string]string{
		"export": " --target http://" + b.host + ":8889/metrics",
		"sync":   " --telemetry http://" + b.host + ":8888/metrics",
		"status": " --telemetry http://" + b.host + ":8888/metrics --health http://" + b.health + "/health/status",
	}[words[1]]
	run := exec.Command(peer(t, "bash"), "-c", line)
	run.Dir = t.TempDir()
	run.Env = append(os.Environ(), "PATH="+b.bin+":"+os.Getenv("PATH"))
	text, err := run.CombinedOutput()
	require.NoError(t, err, "%s\n%s", line, text)
	return string(text), run.Dir
}

// TestMigratingRows checks each row of the page's tables: its settings are valid, its commands run, its links have targets,
// and its other claims have a check here. A row without a check fails.
func TestMigratingRows(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4328") // for validate
	b := newMigratingBench(t)
	checks := b.checks()
	rows := migratingRows(t)
	require.Greater(t, len(rows), 35)
	var (
		files   []string
		used    = map[string]bool{}
		setting = migratingValues()
	)
	for _, row := range rows {
		t.Run(row.of, func(t *testing.T) {
			checked := 0
			for _, key := range settingKey.FindAllStringSubmatch(row.here+row.note, -1) {
				require.Contains(t, setting, key[1], "a value for this setting")
				used[key[1]] = true
				checked++
			}
			for _, command := range commandText.FindAllStringSubmatch(row.here, -1) {
				b.checkCommand(t, row, command[1])
				checked++
			}
			for _, link := range localLink.FindAllStringSubmatch(row.here+row.note, -1) {
				_, err := os.Stat(filepath.Join("../docs", link[1]))
				require.NoError(t, err)
			}
			if check, is := checks[row.of]; is {
				check(t, row)
				checked++
				delete(checks, row.of)
			}
			assert.Positive(t, checked, "no check for %q: %s", row.of, row.here)
		})
	}
	assert.Empty(t, checks, "checks of lines that are not there")

	// One collector is started with all settings; an unknown key would fail.
	for key, value := range setting {
		assert.True(t, used[key], "%s is in no line", key)
		files = append(files, settingOverride(t, key, value))
	}
	standalone := "../deploy/otelcol/standalone.yaml"
	text, err := validate(t, append([]string{standalone}, files...)...)
	require.NoError(t, err, text)
	for _, key := range []string{"event_router::sampling_rates", "span_hierarchy::performance::slow_queries", "prometheus::endpoints",
		"sending_queue::batch::min_sizes"} {
		text, err := validate(t, standalone, settingOverride(t, key, "1"))
		require.Error(t, err, text)
		assert.Contains(t, text, "invalid keys: "+key[strings.LastIndex(key, ":")+1:])
	}
	assert.Zero(t, b.stop())
}

// checkCommand runs a command of a row. A command that ends with the name of a flag stands for that flag.
func (b *migratingBench) checkCommand(t *testing.T, row migratingRow, command string) {
	t.Helper()
	words := strings.Fields(command)
	if flag := words[len(words)-1]; strings.HasPrefix(flag, "--") {
		_, help, _ := commandLine(t).run(append(words[1:len(words)-1], "--help")...)
		assert.Contains(t, help, flag+" ")
		return
	}
	out, directory := b.command(t, command)
	json := strings.Contains(command, "json")
	for _, file := range regexp.MustCompile(`--output (\S+)`).FindAllStringSubmatch(command, -1) {
		written, err := os.ReadFile(filepath.Join(directory, file[1]))
		require.NoError(t, err)
		assert.Contains(t, string(written), "tasker_step_executions_total")
		assert.Equal(t, json, strings.HasPrefix(string(written), "{"), "%s", written[:min(len(written), 80)])
		return
	}
	if strings.Contains(row.of, "export") {
		assert.Contains(t, out, "tasker_step_executions_total")
	}
	assert.NotEmpty(t, out)
}

// checks returns the checks of rows without a setting or command, or with further claims.
func (b *migratingBench) checks() map[string]func(*testing.T, migratingRow) {
	return map[string]func(*testing.T, migratingRow){
		"`metrics_enabled`":             checkWithoutMetrics,
		"`bottleneck_analysis_enabled`": b.checkBottleneck,
		"`export_safety_margin`":        b.checkLateExport,
		"`cross_container_coordination`, `atomic_operations`, `distributed_export`": provenBy("TestTwoTiers", "TestTakeover"),
		"`register_exporter`":                  provenBy("TestOwnDistribution"),
		"Kubernetes CronJob of the export":     contains("deploy/kubernetes/exports/cronjob.yaml", "kind: CronJob", "taskerotel"),
		"Kubernetes CronJob of the cache sync": provenBy("TestKill"),
		"systemd timer":                        contains("deploy/systemd/taskerotel-export.timer", "[Timer]", "WantedBy=timers.target"),
		"crontab":                              contains("deploy/cron/taskerotel-export.cron", "* * * * taskerotel { taskerotel export "),
		"ServiceMonitor":                       contains("deploy/kubernetes/monitoring/servicemonitor.yaml", "kind: ServiceMonitor"),
		"alerts `TaskerMetricsExportFailed`, `TaskerMetricsExportMissing`": contains("deploy/prometheus/rules/otelcol.alerts.yaml",
			"alert: TaskerExportFailed", "alert: TaskerExportMissing"),
		"`METRICS_FORMAT`":          b.checkFormat,
		"`VERBOSE`":                 b.checkVerbose,
		"`RAILS_ENV`":               b.checkEnvironment,
		"`HOSTNAME` of a container": b.checkInstance,
	}
}

// provenBy is for rows whose claims are covered by other tests, which must exist.
func provenBy(tests ...string) func(*testing.T, migratingRow) {
	return func(t *testing.T, _ migratingRow) {
		files, err := filepath.Glob("*_test.go")
		require.NoError(t, err)
		var all strings.Builder
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			all.Write(text)
		}
		for _, test := range tests {
			assert.Contains(t, all.String(), "func "+test+"(t *testing.T)")
		}
	}
}

// contains is for rows that name a file of this repository.
func contains(path string, want ...string) func(*testing.T, migratingRow) {
	return func(t *testing.T, _ migratingRow) {
		text, err := os.ReadFile(filepath.Join("..", path))
		require.NoError(t, err)
		for _, w := range want {
			assert.Contains(t, string(text), w)
		}
	}
}

// checkWithoutMetrics checks that a collector without the pipeline metrics, and without components that measure, is valid.
func checkWithoutMetrics(t *testing.T, _ migratingRow) {
	text, err := os.ReadFile("../config.yaml")
	require.NoError(t, err)
	var config map[string]any
	require.NoError(t, yaml.Unmarshal(text, &config))
	pipelines := config["service"].(map[string]any)["pipelines"].(map[string]any)
	require.Contains(t, pipelines, "metrics")
	delete(pipelines, "metrics")
	delete(config["connectors"].(map[string]any), "span_to_metrics")
	for _, parts := range pipelines {
		parts := parts.(map[string]any)
		exporters := parts["exporters"].([]any)
		parts["exporters"] = slices.DeleteFunc(exporters, func(name any) bool { return name == "span_to_metrics" })
	}
	without, err := yaml.Marshal(config)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "without.yaml")
	require.NoError(t, os.WriteFile(path, without, 0o600))
	output, err := validate(t, path)
	assert.NoError(t, err, output)
}

// checkBottleneck checks that each task's span has the critical path and the bottleneck's share.
func (b *migratingBench) checkBottleneck(t *testing.T, _ migratingRow) {
	tasks := 0
	for _, span := range b.backend.all() {
		if span.Name == lifecycle.SpanTask {
			tasks++
			assert.NotEmpty(t, span.Attributes[lifecycle.AttrCriticalPath])
			assert.NotNil(t, span.Attributes[lifecycle.AttrBottleneckShare])
		}
	}
	assert.Equal(t, 3, tasks)
}

// checkLateExport checks that an export after series may have expired warns.
func (b *migratingBench) checkLateExport(t *testing.T, row migratingRow) {
	const warning = "interval_longer_than_expiry"
	require.Contains(t, row.note, warning)
	export := "taskerotel export --format csv --output metrics.csv --series-expiry 1ns"
	out, _ := b.command(t, export+" --target http://"+b.host+":8889/metrics && "+export)
	assert.Contains(t, out, warning)
}

// checkFormat checks that the variable selects the format, unless the flag is given.
func (b *migratingBench) checkFormat(t *testing.T, _ migratingRow) {
	out, _ := b.command(t, "METRICS_FORMAT=json taskerotel export --report none")
	assert.True(t, strings.HasPrefix(out, "{"), out)
	out, _ = b.command(t, "METRICS_FORMAT=json taskerotel export --report none --format csv")
	assert.True(t, strings.HasPrefix(out, "timestamp,name,type,value,"), out)
}

// checkVerbose checks that with the variable there is a line per target.
func (b *migratingBench) checkVerbose(t *testing.T, _ migratingRow) {
	target := "http://" + b.host + ":8889/metrics"
	quiet, _ := b.command(t, "taskerotel export --output metrics.prom")
	assert.NotContains(t, quiet, target)
	verbose, _ := b.command(t, "VERBOSE=true taskerotel export --output metrics.prom")
	assert.Contains(t, verbose, target)
}

// checkEnvironment checks that the processor resource sets the environment on metrics.
func (b *migratingBench) checkEnvironment(t *testing.T, row migratingRow) {
	require.Contains(t, row.here, "`deployment.environment.name`")
	assert.Contains(t, b.text(), `deployment_environment_name="staging"`)
}

// checkInstance checks that the variable is the collector's name on its metrics.
func (b *migratingBench) checkInstance(t *testing.T, row migratingRow) {
	require.Contains(t, row.here, "`TASKER_INSTANCE`")
	assert.Contains(t, b.text(), `="TestMigratingRows"`)
}
