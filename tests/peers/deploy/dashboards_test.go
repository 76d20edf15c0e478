// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/catalogue"
	"github.com/tasker-otel/otelcol-tasker/tests/grafana"
)

const dashboardFolder = "grafana/dashboards"

func readDashboards(t *testing.T) []grafana.Dashboard {
	t.Helper()
	pages, err := grafana.Read(dashboardFolder)
	require.NoError(t, err)
	return pages
}

// withRules returns the metrics of the code and of the recording rules.
func withRules(t *testing.T) *catalogue.Catalogue {
	t.Helper()
	c, err := catalogue.Load("..")
	require.NoError(t, err)
	_, err = c.Rules(ruleFiles)
	require.NoError(t, err)
	return c
}

// TestDashboardsAreOfThisCode checks that every metric, label and unit in a dashboard exists, and that all metrics of
// workflows are used.
func TestDashboardsAreOfThisCode(t *testing.T) {
	c := withRules(t)
	text := ""
	for _, page := range readDashboards(t) {
		assert.NoError(t, page.Check(c))
		text += strings.Join(page.Expressions(), "\n") + "\n"
	}
	for _, name := range c.Names() {
		if strings.HasPrefix(name, "tasker_") && !strings.HasPrefix(name, "tasker_export_") {
			assert.Contains(t, text, name)
		}
	}
}

// TestDashboardCheck checks that wrong names and units are found.
func TestDashboardCheck(t *testing.T) {
	c, err := catalogue.New(catalogue.Metric{Name: "tasker_task_duration_seconds", Kind: catalogue.Histogram, Unit: "s", Labels: []string{"task_name"}})
	require.NoError(t, err)
	source := grafana.Datasource{Type: grafana.Prometheus}
	target := func(expr, legend string) []grafana.Target {
		return []grafana.Target{{Expr: expr, LegendFormat: legend, Datasource: source}}
	}
	page := grafana.Dashboard{UID: "x", Panels: []grafana.Panel{
		{Title: "metric", Targets: target("tasker_gone", "")},
		{Title: "label", Targets: target(`tasker_task_duration_seconds_sum{step="a"}`, "")},
		{Title: "legend", Targets: target(`sum by (task_name) (tasker_task_duration_seconds_sum)`, "{{status}}")},
		{Title: "unit", Targets: target(`sum(rate(tasker_task_duration_seconds_sum[$__interval]))`, "")},
	}}
	page.Panels[1].FieldConfig.Defaults.Unit, page.Panels[2].FieldConfig.Defaults.Unit = "s", "s"
	page.Panels[3].FieldConfig.Defaults.Unit = "bytes"
	page.Templating.List = []grafana.Variable{{Name: "v", Type: "query", Definition: "label_values(tasker_task_duration_seconds_sum, nobody)"}}
	problems := page.Check(c)
	for _, part := range []string{
		"variable v", "no label nobody", `panel "metric"`, "unknown metric tasker_gone", `panel "label"`, "no label step",
		`the legend "{{status}}" names the label status`, `panel "unit": the unit is "bytes", and that of tasker_task_duration_seconds_sum is "s"`,
	} {
		assert.ErrorContains(t, problems, part)
	}
}

// documentWords are phrases of a document that make no sense in a tooltip, and notes on units that belong to the axis.
var documentWords = regexp.MustCompile(`(?i)see below|\]\(#|` + "`" + `|a second\.|as told|^\S+\.\S+ `)

// TestDashboardPages reads the files as Grafana does: panels are described, do not overlap, and use variables of the
// dashboard.
func TestDashboardPages(t *testing.T) {
	pages := readDashboards(t)
	uids := map[string]bool{}
	for _, page := range pages {
		uids[page.UID] = true
	}
	for _, page := range pages {
		text, err := os.ReadFile(filepath.Join(dashboardFolder, page.UID+".json"))
		require.NoError(t, err)
		for _, leads := range regexp.MustCompile(`"/d/([\w-]+)`).FindAllStringSubmatch(string(text), -1) {
			assert.True(t, uids[leads[1]], "%s leads to %s", page.UID, leads[1])
		}
		assert.NotRegexp(t, `\$\{__data\.fields\.\w+\}`, string(text), "%s: a link to \"import & export\" loses what is behind the &", page.UID)
		variables := checkVariables(t, page)
		ids, cells, exemplars := map[int]bool{}, map[[2]int]string{}, 0
		for _, panel := range page.Panels {
			name := page.UID + ": " + panel.Title
			assert.False(t, ids[panel.ID], "%s: the id %d is taken", name, panel.ID)
			ids[panel.ID] = true
			assert.LessOrEqual(t, panel.GridPos.X+panel.GridPos.W, 24, name)
			for x := panel.GridPos.X; x < panel.GridPos.X+panel.GridPos.W; x++ {
				for y := panel.GridPos.Y; y < panel.GridPos.Y+panel.GridPos.H; y++ {
					assert.Empty(t, cells[[2]int{x, y}], "%s lies on another panel", name)
					cells[[2]int{x, y}] = panel.Title
				}
			}
			if panel.Type == "row" {
				continue
			}
			exemplars += checkPanel(t, name, panel, variables)
		}
		if !slices.Contains([]string{"tasker-collector", "tasker-tasks"}, page.UID) {
			assert.Positive(t, exemplars, page.UID)
		}
	}
}

// checkVariables returns the dashboard's variables.
func checkVariables(t *testing.T, page grafana.Dashboard) map[string]bool {
	t.Helper()
	variables := map[string]bool{}
	for _, v := range page.Templating.List {
		for _, used := range grafana.Used(v.Definition) {
			assert.True(t, variables[used] || slices.ContainsFunc(page.Templating.List, func(o grafana.Variable) bool { return o.Name == used }),
				"%s: variable %s uses %s", page.UID, v.Name, used)
		}
		variables[v.Name] = true
		// Queries use them in regular expressions: unescaped, "import (nightly)" matches nothing.
		assert.True(t, v.Multi || v.Type != "query" || v.Hide > 0, "%s: Grafana does not escape the values of %s", page.UID, v.Name)
	}
	assert.True(t, variables["datasource"], page.UID)
	return variables
}

func checkPanel(t *testing.T, name string, panel grafana.Panel, variables map[string]bool) (exemplars int) {
	t.Helper()
	assert.NotEmpty(t, panel.Description, name)
	assert.NotRegexp(t, documentWords, panel.Description, name)
	assert.NotEmpty(t, panel.Targets, name)
	unit := panel.FieldConfig.Defaults.Unit
	assert.NotContains(t, []string{"cps", "Bps", "ops"}, unit, "%s: an hourly workflow is 0.0003 of them", name)
	if panel.Type != "logs" {
		assert.NotEmpty(t, unit, name)
	}
	assert.True(t, strings.HasPrefix(panel.Datasource.UID, "${"), "%s: its data source is a choice", name)
	for _, target := range panel.Targets {
		assert.Equal(t, panel.Datasource, target.Datasource, name)
		if target.Exemplar {
			exemplars++
			assert.Contains(t, target.Expr, "_bucket", "exemplars are on buckets")
		}
		for _, used := range grafana.Used(target.Expr + target.Query) {
			assert.True(t, variables[used] || strings.HasPrefix(used, "__"), "%s uses %s", name, used)
		}
		if strings.Contains(target.Expr, "$__interval") {
			assert.NotEmpty(t, panel.Interval, "%s: without a minimum an interval may be shorter than that of scrapes", name)
		}
		switch target.Datasource.Type {
		case "tempo":
			checkTraceQL(t, name, target.Query)
		case "loki":
			checkLogQL(t, name, target.Expr)
		}
	}
	return exemplars
}

// attributeKeys returns the attribute keys of spans and records.
func attributeKeys(t *testing.T) map[string]bool {
	t.Helper()
	source, err := os.ReadFile("../internal/lifecycle/attributes.go")
	require.NoError(t, err)
	keys := map[string]bool{"service.name": true}
	for _, key := range regexp.MustCompile(`(?m)^\s*Attr\w+\s*= "([\w.]+)"`).FindAllStringSubmatch(string(source), -1) {
		keys[key[1]] = true
	}
	require.Greater(t, len(keys), 50)
	return keys
}

func checkTraceQL(t *testing.T, name, query string) {
	t.Helper()
	keys := attributeKeys(t)
	used := regexp.MustCompile(`\b(?:span|resource)\.([\w.]+)`).FindAllStringSubmatch(query, -1)
	assert.NotEmpty(t, used, name)
	for _, attribute := range used {
		assert.True(t, keys[attribute[1]], "%s: no span has %s", name, attribute[1])
	}
	for _, span := range regexp.MustCompile(`\bname = "([^"]+)"`).FindAllStringSubmatch(query, -1) {
		assert.Equal(t, lifecycle.SpanTask, span[1], name)
	}
}

// checkLogQL checks attribute names, which have underscores in Loki. trace_id, span_id and severity_number are fields of a
// record.
func checkLogQL(t *testing.T, name, query string) {
	t.Helper()
	known := map[string]bool{"trace_id": true, "span_id": true, "severity_number": true}
	for key := range attributeKeys(t) {
		known[strings.ReplaceAll(key, ".", "_")] = true
	}
	used := regexp.MustCompile(`(\w+)\s*(?:=~|!=|>=|=)`).FindAllStringSubmatch(query, -1)
	assert.NotEmpty(t, used, name)
	for _, label := range used {
		assert.True(t, known[label[1]], "%s: no record has %s", name, label[1])
	}
}

// TestEveryDashboardIsDeployed checks that the ConfigMap for Kubernetes has all files; compose mounts the folder.
func TestEveryDashboardIsDeployed(t *testing.T) {
	text, err := os.ReadFile("grafana/kustomization.yaml")
	require.NoError(t, err)
	for _, page := range readDashboards(t) {
		assert.Contains(t, string(text), "- dashboards/"+page.UID+".json\n")
	}
}

// TestPrometheusRule checks that the resource of the Prometheus operator has the groups of the rule files.
func TestPrometheusRule(t *testing.T) {
	var want []any
	paths, err := filepath.Glob(ruleFiles)
	require.NoError(t, err)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		var file struct{ Groups []any }
		require.NoError(t, yaml.Unmarshal(text, &file))
		want = append(want, file.Groups...)
	}
	rule := objectIn[prometheusRule](t, "kubernetes/monitoring/prometheusrule.yaml")
	require.NotEmpty(t, want)
	assert.Equal(t, want, rule.Spec.Groups, "run make generate")
}
