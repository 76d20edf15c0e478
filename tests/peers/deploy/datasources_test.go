// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/tasker-otel/otelcol-tasker/tests/catalogue"
)

// sourceLink is a link from one data source to another.
type sourceLink struct {
	DatasourceUID string `json:"datasourceUid"`
	Tags          []struct{ Key, Value string }
	Query         string
	Queries       []struct{ Name, Query string }
}

// provisioned is the checked part of a data source.
type provisioned struct {
	UID, Type, URL string
	JSONData       struct {
		ExemplarTraceIDDestinations []struct{ Name, DatasourceUID string }
		TracesToLogsV2              *sourceLink
		TracesToMetrics             *sourceLink
		DerivedFields               []struct{ MatcherType, MatcherRegex, DatasourceUID, URL string }
	}
}

func readDatasources(t *testing.T) map[string]provisioned {
	t.Helper()
	text, err := os.ReadFile("grafana/provisioning/datasources/tasker.yaml")
	require.NoError(t, err)
	assert.NotRegexp(t, `[^$](\$\$)*\$[{_]`, string(text), "Grafana would put a variable of the environment there")
	var file struct{ Datasources []provisioned }
	require.NoError(t, yaml.Unmarshal([]byte(strings.ReplaceAll(string(text), "$$", "$")), &file))
	byType := map[string]provisioned{}
	for _, source := range file.Datasources {
		byType[source.Type] = source
	}
	require.Len(t, byType, len(file.Datasources))
	return byType
}

// TestGrafanaProvisioning checks that the data sources are services of the compose file, and link to each other.
func TestGrafanaProvisioning(t *testing.T) {
	services := readCompose(t, "compose.yaml", "compose.traces.yaml").Services
	sources := readDatasources(t)
	for kind, source := range sources {
		host := regexp.MustCompile(`^http://([a-z]+):\d+$`).FindStringSubmatch(source.URL)
		if assert.Len(t, host, 2, source.URL) {
			assert.Contains(t, services, host[1])
			assert.Equal(t, kind, host[1])
		}
	}
	prometheus, tempo, loki := sources["prometheus"], sources["tempo"], sources["loki"]
	if exemplars := prometheus.JSONData.ExemplarTraceIDDestinations; assert.Len(t, exemplars, 1) {
		assert.Equal(t, "trace_id", exemplars[0].Name)
		assert.Equal(t, tempo.UID, exemplars[0].DatasourceUID)
	}
	if logs := tempo.JSONData.TracesToLogsV2; assert.NotNil(t, logs) {
		assert.Equal(t, loki.UID, logs.DatasourceUID)
		assert.Contains(t, logs.Query, `trace_id="${__trace.traceId}"`)
	}
	if fields := loki.JSONData.DerivedFields; assert.Len(t, fields, 1) {
		assert.Equal(t, "label", fields[0].MatcherType)
		assert.Equal(t, tempo.UID, fields[0].DatasourceUID)
	}

	metrics := tempo.JSONData.TracesToMetrics
	require.NotNil(t, metrics)
	assert.Equal(t, prometheus.UID, metrics.DatasourceUID)
	require.NotEmpty(t, metrics.Queries)
	c, err := catalogue.Load("..")
	require.NoError(t, err)
	for _, query := range metrics.Queries {
		var matchers []string
		for _, tag := range metrics.Tags {
			matchers = append(matchers, tag.Value+`="x"`)
		}
		expr := strings.NewReplacer("$__tags", strings.Join(matchers, ","), "$__rate_interval", "1m").Replace(query.Query)
		_, err := c.Check(expr)
		assert.NoError(t, err, query.Name)
	}
}
