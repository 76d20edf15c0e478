package dashboards

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/catalogue"
)

const repository = "../.."

// TestFilesAreInStep: what is in deploy is what the code makes now.
func TestFilesAreInStep(t *testing.T) {
	files, err := Files(repository)
	require.NoError(t, err)
	require.Len(t, files, 5)
	for name, want := range files {
		have, err := os.ReadFile(filepath.Join(repository, name))
		if assert.NoError(t, err) {
			assert.Equal(t, string(want), string(have), "%s: run make generate", name)
		}
	}
	found, err := filepath.Glob(filepath.Join(repository, "deploy", "grafana", "dashboards", "*.json"))
	require.NoError(t, err)
	assert.Len(t, found, 4, "files of dashboards that are gone")
}

// TestWholePages reads the files as Grafana does.
func TestWholePages(t *testing.T) {
	files, err := Files(repository)
	require.NoError(t, err)
	for name, text := range files {
		if !strings.HasSuffix(name, ".json") {
			continue
		}
		var page struct {
			UID, Title string
			Panels     []struct {
				ID                       int
				Type, Title, Description string
				GridPos                  struct{ H, W, X, Y int }
				Datasource               struct{ UID string }
				FieldConfig              struct{ Defaults struct{ Unit string } }
				Targets                  []struct {
					RefID, Expr string
					Exemplar    bool
				}
			}
			Templating struct {
				List []struct {
					Name, Type string
					Multi      bool
				}
			}
		}
		require.NoError(t, json.Unmarshal(text, &page), name)
		assert.Equal(t, page.UID+".json", filepath.Base(name))
		variables := map[string]bool{}
		for _, v := range page.Templating.List {
			variables[v.Name] = true
			// Queries use them in regular expressions: without it "import (nightly)" matches nothing.
			assert.True(t, v.Multi || v.Type == "datasource", "%s: Grafana does not escape the values of %s", name, v.Name)
		}
		require.True(t, variables["datasource"])
		assert.NotRegexp(t, `\$\{__data\.fields\.\w+\}`, string(text), "%s: a link to \"import & export\" loses what is behind the &", name)

		ids, cells, exemplars := map[int]bool{}, map[[2]int]string{}, 0
		for _, panel := range page.Panels {
			assert.False(t, ids[panel.ID], "%s: two panels %d", name, panel.ID)
			ids[panel.ID] = true
			assert.LessOrEqual(t, panel.GridPos.X+panel.GridPos.W, columns, "%s: %s", name, panel.Title)
			for x := panel.GridPos.X; x < panel.GridPos.X+panel.GridPos.W; x++ {
				for y := panel.GridPos.Y; y < panel.GridPos.Y+panel.GridPos.H; y++ {
					assert.Empty(t, cells[[2]int{x, y}], "%s: %s lies on another panel", name, panel.Title)
					cells[[2]int{x, y}] = panel.Title
				}
			}
			if panel.Type == "row" {
				continue
			}
			assert.NotEmpty(t, panel.Description, "%s: %s", name, panel.Title)
			assert.NotEmpty(t, panel.FieldConfig.Defaults.Unit, "%s: %s", name, panel.Title)
			assert.Equal(t, "${datasource}", panel.Datasource.UID)
			assert.NotEmpty(t, panel.Targets, "%s: %s", name, panel.Title)
			for _, target := range panel.Targets {
				if target.Exemplar {
					exemplars++
					assert.Contains(t, target.Expr, "_bucket", "exemplars are on buckets")
				}
				for _, used := range grafanaVariable.FindAllString(target.Expr, -1) {
					variable := strings.Trim(used, "${}")
					assert.True(t, variables[variable] || strings.HasPrefix(variable, "__"), "%s: %s uses %s", name, panel.Title, used)
				}
			}
		}
		if page.UID != collectorUID {
			assert.Positive(t, exemplars, name)
		}
	}
}

// TestEveryMetricIsShown: no metric of workflows is forgotten.
func TestEveryMetricIsShown(t *testing.T) {
	c, err := catalogue.Load(repository)
	require.NoError(t, err)
	_, err = c.Rules(filepath.Join(repository, "deploy/prometheus/rules/*.yaml"))
	require.NoError(t, err)
	pages, err := All(c)
	require.NoError(t, err)
	text := ""
	for i := range pages {
		for _, query := range pages[i].Queries() {
			text += query.Expr + "\n"
		}
	}
	for _, name := range c.Names() {
		if strings.HasPrefix(name, "tasker_") && !strings.HasPrefix(name, "tasker_export_") {
			assert.Contains(t, text, name)
		}
	}
}

// TestUnknownNamesAreRefused: what a renamed metric does to the generator.
func TestUnknownNamesAreRefused(t *testing.T) {
	c, err := catalogue.New(catalogue.Metric{Name: taskExecutions, Kind: catalogue.Counter, Unit: "{task}", Labels: []string{"task_name"}})
	require.NoError(t, err)
	_, err = All(c)
	for _, part := range []string{
		"unknown metric tasker_step_executions_total",
		`tasker-overview: panel "Failed"`, "tasker_task_executions_total has no label status",
	} {
		assert.ErrorContains(t, err, part)
	}

	page := Dashboard{UID: "x", Variables: []Variable{{Name: "v", Metric: taskExecutions, LabelName: "nobody"}},
		Rows: []Row{{Panels: []Panel{{Title: "p", Queries: []Query{{Expr: "sum by (task_name) (" + taskExecutions + ")", Legend: "{{status}}"}}}}}}}
	problems := page.check(c)
	require.Len(t, problems, 2)
	assert.ErrorContains(t, problems[0], "no label nobody")
	assert.ErrorContains(t, problems[1], `names the label status`)
}

func TestExpand(t *testing.T) {
	assert.Equal(t, `sum(rate(a{job=~"shop", task_name=~".*"}[30s]) + b[30s])`,
		Expand(`sum(rate(a{job=~"$service", task_name=~"${task_name}"}[$__rate_interval]) + b[$__range])`, "30s", map[string]string{"service": "shop"}))
}

func TestPrometheusRuleOfABadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(path, []byte("rules: []\n"), 0o600))
	_, err := PrometheusRule(path)
	assert.ErrorContains(t, err, `no line "groups:"`)
}
