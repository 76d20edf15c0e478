// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/tasker-otel/otelcol-tasker/tests/catalogue"
	"github.com/tasker-otel/otelcol-tasker/tests/grafana"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// prometheus is a running server of Debian's package.
type prometheus struct {
	t       *testing.T
	address string
}

// startPrometheus runs it with the configuration and the rules of deploy/prometheus, the collector's addresses and short
// intervals. It also scrapes truth.
func startPrometheus(t *testing.T, c *collector, own, truth string) *prometheus {
	t.Helper()
	if os.Getenv("TASKER_PEERS") != "1" {
		t.Skip("needs a peer: set TASKER_PEERS=1 where prometheus is installed")
	}
	binary, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("needs a peer: prometheus is not installed")
	}
	folder := t.TempDir()
	writeRules(t, folder)
	config := map[string]any{}
	readYAML(t, "../deploy/prometheus/prometheus.yml", &config)
	config["global"] = map[string]any{"scrape_interval": "1s", "evaluation_interval": "1s"}
	jobs := config["scrape_configs"].([]any)
	addresses := map[string]string{"tasker": c.scrape, "otelcol-tasker": own}
	require.Len(t, jobs, len(addresses))
	for _, job := range jobs {
		job := job.(map[string]any)
		job["static_configs"] = []any{map[string]any{"targets": []string{addresses[job["job_name"].(string)]}}}
	}
	config["scrape_configs"] = append(jobs, map[string]any{
		"job_name": "truth", "honor_labels": true, "static_configs": []any{map[string]any{"targets": []string{truth}}},
	})
	text, err := yaml.Marshal(config)
	require.NoError(t, err)
	path := filepath.Join(folder, "prometheus.yml")
	require.NoError(t, os.WriteFile(path, text, 0o600))

	p := &prometheus{t: t, address: freeAddresses(t, 1)[0]}
	var said output
	server := exec.Command(binary, "--config.file", path, "--storage.tsdb.path", filepath.Join(folder, "data"),
		"--web.listen-address", p.address, "--enable-feature=exemplar-storage")
	server.Stdout, server.Stderr = &said, &said
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		if t.Failed() {
			t.Logf("prometheus' last lines:\n%s", said.tail())
		}
	})
	await(t, 60*time.Second, "ready Prometheus", func() bool {
		response, err := http.Get("http://" + p.address + "/-/ready")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, func() any { return said.tail() })
	return p
}

// writeRules copies the rules without the intervals, which are too long for a test.
func writeRules(t *testing.T, folder string) {
	t.Helper()
	paths, err := filepath.Glob("../deploy/prometheus/rules/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	require.NoError(t, os.Mkdir(filepath.Join(folder, "rules"), 0o700))
	interval := regexp.MustCompile(`(?m)^    interval: .*\n`)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(folder, "rules", filepath.Base(path)), interval.ReplaceAll(text, nil), 0o600))
	}
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, into))
}

// get queries the API and decodes the field data.
func (p *prometheus) get(path string, query url.Values, data any) error {
	response, err := http.Get("http://" + p.address + path + "?" + query.Encode())
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return fmt.Errorf("read the answer to %s: %w", path, err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s of %q: %s", path, query.Get("query"), answer.Error)
	}
	return json.Unmarshal(answer.Data, data)
}

// scrapeErrors returns the errors of the latest scrapes.
func (p *prometheus) scrapeErrors() any {
	var data struct {
		ActiveTargets []struct{ ScrapeURL, LastError string }
	}
	if err := p.get("/api/v1/targets", url.Values{}, &data); err != nil {
		return err
	}
	return data.ActiveTargets
}

// query evaluates an expression and returns the values by labels.
func (p *prometheus) query(expr string) (map[string]float64, error) {
	var data struct {
		Result []struct {
			Metric map[string]string
			Value  [2]any
		}
	}
	if err := p.get("/api/v1/query", url.Values{"query": {expr}}, &data); err != nil {
		return nil, err
	}
	values := map[string]float64{}
	for _, series := range data.Result {
		delete(series.Metric, model.MetricNameLabel)
		value, err := strconv.ParseFloat(series.Value[1].(string), 64)
		if err != nil {
			return nil, err
		}
		values[fmt.Sprint(series.Metric)] = value // fmt prints maps sorted by key
	}
	return values, nil
}

// truthPrefix is the prefix of the metrics with the expected values, which the test exposes to Prometheus.
const truthPrefix = "truth_"

// totals replaces rates by totals: rate(x[5m]) and increase(x[5m]) become x, because rates depend on the times of scrapes.
// Other functions over time have no total.
func totals(expr parser.Expr) (parser.Expr, error) {
	var err error
	rewrite := func(inner parser.Expr) parser.Expr {
		out, failed := totals(inner)
		if failed != nil {
			err = failed
		}
		return out
	}
	switch e := expr.(type) {
	case *parser.Call:
		if e.Func.Name == "rate" || e.Func.Name == "increase" {
			return e.Args[0].(*parser.MatrixSelector).VectorSelector, nil
		}
		for i := range e.Args {
			e.Args[i] = rewrite(e.Args[i])
		}
	case *parser.AggregateExpr:
		e.Expr = rewrite(e.Expr)
	case *parser.ParenExpr:
		e.Expr = rewrite(e.Expr)
	case *parser.BinaryExpr:
		e.LHS, e.RHS = rewrite(e.LHS), rewrite(e.RHS)
	case *parser.VectorSelector, *parser.NumberLiteral:
	default:
		return expr, fmt.Errorf("no total of %s", expr)
	}
	return expr, err
}

// ofTruth returns the same expression of the truth's metrics, and whether the truth has all of them.
func ofTruth(expression string, covered map[string]bool) (string, bool) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
	if err != nil {
		return "", false
	}
	all := true
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if selector, is := node.(*parser.VectorSelector); is {
			all = all && covered[selector.Name]
			selector.Name = truthPrefix + selector.Name
			for _, matcher := range selector.LabelMatchers {
				if matcher.Name == model.MetricNameLabel {
					matcher.Value = selector.Name
				}
			}
		}
		return nil
	})
	return expr.String(), all
}

// exposition is the truth of some applications in Prometheus' format, with the collector's buckets.
type exposition struct {
	lines   []string
	covered map[string]bool
}

func (e *exposition) add(t *testing.T, service string, lines [][]byte, truth []streamtest.Task, bounds map[string][]string) {
	t.Helper()
	buckets := numbers{}
	n := observed(t, lines, truth, func(name string, value float64, pairs ...string) {
		require.NotEmpty(t, bounds[name], name)
		for _, le := range bounds[name] {
			bound, err := strconv.ParseFloat(le, 64)
			require.NoError(t, err)
			count := 0.0
			if value <= bound {
				count = 1
			}
			buckets.add(count, name+"_bucket", append(slices.Clone(pairs), "le", le)...)
		}
	})
	maps.Copy(n, buckets)
	for _, key := range slices.Sorted(maps.Keys(n)) {
		name, inside, _ := strings.Cut(strings.TrimSuffix(key, "}"), "{")
		set := []string{fmt.Sprintf("job=%q", service)}
		for pair := range strings.SplitSeq(inside, ",") {
			if label, value, labelled := strings.Cut(pair, "="); labelled {
				set = append(set, fmt.Sprintf("%s=%q", label, value))
			}
		}
		e.lines = append(e.lines, fmt.Sprintf("%s%s{%s} %v", truthPrefix, name, strings.Join(set, ","), n[key]))
		e.covered[name] = true
	}
}

// bucketBounds returns the bounds of each histogram in a scrape, as written there.
func bucketBounds(samples []sample) map[string][]string {
	bounds := map[string][]string{}
	for _, s := range samples {
		if name, is := strings.CutSuffix(s.name, "_bucket"); is && !slices.Contains(bounds[name], s.labels["le"]) {
			bounds[name] = append(bounds[name], s.labels["le"])
		}
	}
	return bounds
}

// ownMetrics makes the collector expose its internal metrics.
const ownMetrics = `
service:
  telemetry:
    metrics:
      level: normal
      readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %s}}}}]
`

// TestPrometheus runs a real Prometheus with our configuration: it scrapes the collector, evaluates the rules without
// errors, and the dashboards' queries return the truth's values.
func TestPrometheus(t *testing.T) {
	shop, shopTruth := streamtest.Generate(streamtest.Options{Tasks: 150, Seed: 21, Failures: true, Planned: true})
	billing, billingTruth := streamtest.Generate(streamtest.Options{Tasks: 150, Seed: 22, Failures: true, Planned: true, Service: "billing"})
	lines := streamtest.Interleave(1, shop, billing)

	truth := exposition{covered: map[string]bool{}}
	var text []byte // set before Prometheus starts
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(text) }))
	defer server.Close()

	own := freeAddresses(t, 1)[0]
	sink := newSink(t)
	c := start(t, sink, append(durable(t), fmt.Sprintf(ownMetrics, own[strings.LastIndexByte(own, ':')+1:]))...)
	c.sendNDJSON(connections, shuffledBatches(lines, 23))
	awaitTasks(t, sink, len(shopTruth)+len(billingTruth))
	want := expected(t, lines, append(slices.Clone(shopTruth), billingTruth...))
	awaitEqual(t, "exact metrics", func() []string { return want.differences(collect(c.samples(openMetrics), measured())) })

	bounds := bucketBounds(c.samples(plainText))
	truth.add(t, "shop", shop, shopTruth, bounds)
	truth.add(t, "billing", billing, billingTruth, bounds)
	text = []byte(strings.Join(truth.lines, "\n") + "\n")

	p := startPrometheus(t, c, own, strings.TrimPrefix(server.URL, "http://"))
	for _, job := range []string{"tasker", "otelcol-tasker", "truth"} {
		var up map[string]float64
		await(t, 30*time.Second, "scrape of "+job, func() bool {
			var err error
			up, err = p.query(fmt.Sprintf("up{job=%q} == 1", job))
			return err == nil && len(up) == 1
		}, p.scrapeErrors)
	}
	known, err := catalogue.Load("..")
	require.NoError(t, err)
	t.Run("names and labels", func(t *testing.T) { p.namesAreKnown(t, known) })
	_, err = known.Rules("../deploy/prometheus/rules/*.yaml")
	require.NoError(t, err)
	pages, err := grafana.Read("../deploy/grafana/dashboards")
	require.NoError(t, err)
	t.Run("dashboards", func(t *testing.T) { p.dashboards(t, pages, truth.covered) })
	t.Run("box for an id", func(t *testing.T) { p.numberOfBox(t, pages) })
	t.Run("rules", func(t *testing.T) { p.rules(t) })
	t.Run("exemplars", func(t *testing.T) { p.exemplars(t) })
}

// namesAreKnown checks that all scraped names and labels are in the catalogue.
func (p *prometheus) namesAreKnown(t *testing.T, known *catalogue.Catalogue) {
	var series []map[string]string
	require.NoError(t, p.get("/api/v1/series", url.Values{"match[]": {`{__name__=~"tasker_.+|otelcol_.+"}`}}, &series))
	require.NotEmpty(t, series)
	seen := map[string]bool{}
	for _, s := range series {
		labels, found := known.Labels(s["__name__"])
		if !assert.True(t, found, "%s is not in the catalogue", s["__name__"]) {
			continue
		}
		seen[s["__name__"]] = true
		for label := range s {
			if label != "__name__" && label != "otel_metric_overflow" {
				assert.Contains(t, labels, label, "a label of %s", s["__name__"])
			}
		}
	}
	for _, name := range []string{"otelcol_processor_span_hierarchy_trees", "otelcol_receiver_accepted_log_records",
		"otelcol_exporter_queue_size", "otelcol_exporter_tasker_csv_snapshots", "otelcol_processor_span_hierarchy_storage_failing",
		"otelcol_connector_span_to_metrics_storage_failing", "otelcol_processor_event_router_storage_failing", "tasker_task_executions_total"} {
		assert.True(t, seen[name], "%s was not scraped", name)
	}
}

func (p *prometheus) dashboards(t *testing.T, pages []grafana.Dashboard, covered map[string]bool) {
	compared := 0
	for i := range pages {
		for _, expression := range pages[i].Expressions() {
			for _, values := range choices(t, pages[i].UID) {
				expr := grafana.Expand(expression, "1m", values)
				_, err := p.query(expr) // a rate without changes since the first scrape is 0 or empty
				if !assert.NoError(t, err) {
					continue
				}
				tree, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
				require.NoError(t, err)
				tree, err = totals(tree)
				if err != nil {
					continue
				}
				wanted, isCovered := ofTruth(tree.String(), covered)
				if !isCovered {
					continue
				}
				have, err := p.query(tree.String())
				require.NoError(t, err)
				want, err := p.query(wanted)
				require.NoError(t, err)
				assert.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(have)), tree.String())
				for series, value := range want {
					if !(math.IsNaN(value) && math.IsNaN(have[series])) {
						assert.InDelta(t, value, have[series], 1e-6, "%s of %s", tree, series)
					}
				}
				if len(want) > 0 {
					compared++
				}
			}
		}
	}
	t.Logf("%d answers are the truth's", compared)
	assert.Greater(t, compared, 100)
}

// numberOfBox checks that the dashboard of tasks has a hidden variable with the number typed into its box, or -1.
func (p *prometheus) numberOfBox(t *testing.T, pages []grafana.Dashboard) {
	for _, page := range pages {
		for _, variable := range page.Templating.List {
			if variable.Name != "number" {
				continue
			}
			query := strings.TrimSuffix(strings.TrimPrefix(variable.Definition, "query_result("), ")")
			for typed, want := range map[string]string{"": "-1", "11": "11", "tsk_mpv5pc00_tswSBc": "-1", "0190b2f4-5d5e-7c9a-8000-1f2e3d4c5b6a": "-1"} {
				values, err := p.query(grafana.Expand(query, "", map[string]string{"id": typed}))
				require.NoError(t, err)
				require.Len(t, values, 1)
				for labels := range values {
					assert.Contains(t, labels, "number:"+want, typed)
				}
			}
			return
		}
	}
	t.Error("no dashboard has such a variable")
}

// choices returns values of a dashboard's variables: all, and some.
func choices(t *testing.T, page string) []map[string]string {
	t.Helper()
	all := map[string]string{}
	switch page {
	case "tasker-workflow":
		return []map[string]string{{"service": "shop", "task_name": "process_order"}, {"service": ".*", "task_name": "customer_analytics"}}
	case "tasker-step":
		return []map[string]string{{"service": "billing", "task_name": "process_order", "step_name": "create_order"}}
	case "tasker-overview":
		return []map[string]string{all, {"service": "billing"}, {"service": "shop", "task_name": "process_order"}}
	}
	return []map[string]string{all}
}

// rules checks that each rule is evaluated without error, and that the recorded series exist.
func (p *prometheus) rules(t *testing.T) {
	type rule struct{ Name, Health, LastError string }
	var data struct{ Groups []struct{ Rules []rule } }
	await(t, 30*time.Second, "evaluation of all rules", func() bool {
		if err := p.get("/api/v1/rules", nil, &data); err != nil {
			return false
		}
		for _, group := range data.Groups {
			for _, r := range group.Rules {
				if r.Health == "unknown" {
					return false
				}
			}
		}
		return len(data.Groups) > 0
	}, func() any { return data })
	count := 0
	for _, group := range data.Groups {
		for _, r := range group.Rules {
			count++
			assert.Equal(t, "ok", r.Health, "%s: %s", r.Name, r.LastError)
		}
	}
	assert.Greater(t, count, 40)
	var values map[string]float64
	await(t, 30*time.Second, "recorded series", func() bool { // an increase needs two scrapes
		var err error
		values, err = p.query("count(job_task_status:tasker_task_executions:increase30m)")
		return err == nil && len(values) == 1
	}, func() any { return values })

	quiet := []string{
		"TaskerCollectorDown", "TaskerCollectorAbsent", "TaskerSpansLost", "TaskerExporterSendFailing",
		"TaskerEventsInvalid", "TaskerSeriesOverflow", "TaskerStorageErrors", "TaskerStorageSetAside",
	}
	var alerts struct {
		Alerts []struct{ Labels map[string]string }
	}
	// A rule that was evaluated before the first scrape has an alert until the next evaluation.
	await(t, 30*time.Second, "no alerts of a healthy collector", func() bool {
		if err := p.get("/api/v1/alerts", nil, &alerts); err != nil {
			return false
		}
		for _, alert := range alerts.Alerts {
			if slices.Contains(quiet, alert.Labels["alertname"]) {
				return false
			}
		}
		return true
	}, func() any { return alerts })
}

// exemplars checks that Prometheus has stored exemplars of the durations.
func (p *prometheus) exemplars(t *testing.T) {
	// An exemplar's time is that of its span in the stream.
	const begin, end = "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"
	var data []struct {
		Exemplars []struct{ Labels map[string]string }
	}
	await(t, 30*time.Second, "exemplars", func() bool {
		err := p.get("/api/v1/query_exemplars", url.Values{
			"query": {"tasker_task_duration_seconds_bucket"}, "start": {begin}, "end": {end},
		}, &data)
		return err == nil && len(data) > 0
	}, func() any { return data })
	for _, series := range data {
		for _, e := range series.Exemplars {
			assert.Len(t, e.Labels["trace_id"], 32)
		}
	}
}

func TestTotals(t *testing.T) {
	for expression, want := range map[string]string{
		`sum by (job) (rate(a{x="1"}[5m])) / (sum(increase(b[1h])) > 0)`: `sum by (job) (a{x="1"}) / (sum(b) > 0)`,
		`histogram_quantile(0.5, sum by (le) (rate(a_bucket[5m])))`:      `histogram_quantile(0.5, sum by (le) (a_bucket))`,
		`(a or 0 * b)`: `(a or 0 * b)`,
	} {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
		require.NoError(t, err)
		expr, err = totals(expr)
		require.NoError(t, err)
		assert.Equal(t, want, expr.String())
	}
	renamed, all := ofTruth(`sum(a{x="1"}) + b`, map[string]bool{"a": true})
	assert.Equal(t, `sum(truth_a{x="1"}) + truth_b`, renamed)
	assert.False(t, all)
}
