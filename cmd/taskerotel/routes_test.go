// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
)

func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestRoutesOfTheBuiltInMap(t *testing.T) {
	got := execute(t, "", "routes")
	require.Equal(t, exitOK, got.status, got.err)
	lines := strings.Split(strings.TrimSpace(got.out), "\n")
	assert.Len(t, lines, 1+len(lifecycle.DefaultRoutes())+1)
	assert.Regexp(t, `^EVENT +BECOMES +TASKS +PRIORITY +DECIDED BY$`, lines[0])
	assert.Contains(t, got.out, "database.query_executed")
	assert.Regexp(t, `(?m)^database\.query_executed +traces, metrics +10 % +normal +built in$`, got.out)
	assert.Regexp(t, `^otherwise +dropped: no_route +- +normal +default_signals$`, lines[len(lines)-1])
}

func TestRoutesOfAConfiguration(t *testing.T) {
	config := configFile(t, `
processors:
  event_router:
    default_signals: [traces]
    filtered_events: [registry.*]
    routes:
      - {event: step.completed, signals: [logs], sampling_rate: 0.25}
      - {event: order.*, signals: [logs], priority: low}
      - {event: order.p*, signals: [metrics]}
`)
	got := execute(t, "", "routes", "--config", config, "tasker.step.completed", "order.placed", "order.x", "else.what", "registry.a")
	require.Equal(t, exitOK, got.status, got.err)
	for _, row := range []string{
		`step\.completed +logs +25 % +normal +routes\[0\]`,
		`order\.placed +metrics +100 % +normal +routes\[2\] order\.p\*, before order\.\* \(routes\[1\]\)`,
		`order\.x +logs +100 % +low +routes\[1\] order\.\*`,
		`else\.what +traces +100 % +normal +default_signals`,
		`registry\.a +dropped: filtered +- +normal +filtered_events\[0\] registry\.\*`,
	} {
		assert.Regexp(t, "(?m)^"+row+"$", got.out)
	}

	got = execute(t, "", "routes", "--config", config, "--json", "order.placed")
	require.Equal(t, exitOK, got.status, got.err)
	var row routing.Row
	require.NoError(t, json.Unmarshal([]byte(got.out), &row))
	assert.Equal(t, routing.Row{
		Event: "order.placed", Signals: []string{"metrics"}, SamplingRate: 1, Priority: "normal",
		Route: "order.p*", From: "routes[2]", Also: []string{"order.* (routes[1])"},
	}, row)

	first := strings.Split(execute(t, "", "routes", "--config", config).out, "\n")[1]
	assert.Regexp(t, `^registry\.\* +dropped: filtered`, first, "filters come before all routes")
}

func TestRoutesOfTheDefaultConfiguration(t *testing.T) {
	got := execute(t, "", "routes", "--config", "../../config.yaml", "task.failed")
	require.Equal(t, exitOK, got.status, got.err)
	assert.Empty(t, got.err, "no warnings")
	assert.Contains(t, got.out, "traces, metrics")
}

func TestRoutesSaysWhatIsWrong(t *testing.T) {
	t.Setenv("TASKER_TEST_SIGNAL", "spans")
	several := configFile(t, "processors: {event_router/a: , eventrouter/b: {default_signals: [logs]}}")
	for name, test := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"mistakes": {[]string{"--config", configFile(t, `processors: {event_router: {default_signals: ["${env:TASKER_TEST_SIGNAL}"], sampling_rate: 2}}`)},
			exitFailed, `"spans" is not a signal`},
		"all mistakes":    {[]string{"--config", configFile(t, `processors: {event_router: {default_signals: [a], sampling_rate: 2}}`)}, exitFailed, "2 is out of range"},
		"unknown setting": {[]string{"--config", configFile(t, `processors: {event_router: {rutes: []}}`)}, exitFailed, "rutes"},
		"no file":         {[]string{"--config", "no-such.yaml"}, exitFailed, "no-such.yaml"},
		"no router":       {[]string{"--config", configFile(t, "processors: {batch: }")}, exitFailed, "no processor event_router"},
		"which router":    {[]string{"--config", several}, exitUsage, "choose one of event_router/a, eventrouter/b with --router"},
		"wrong router":    {[]string{"--config", several, "--router", "x"}, exitUsage, `--router: "x" is not among`},
		"a warning":       {[]string{"--config", configFile(t, `processors: {event_router: {filtered_events: [task.complete]}}`)}, exitOK, "warning: filtered_events[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			got := execute(t, "", append([]string{"routes"}, test.args...)...)
			assert.Equal(t, test.status, got.status)
			assert.Contains(t, got.err, test.want)
		})
	}
	got := execute(t, "", "routes", "--config", several, "--router", "eventrouter/b", "x")
	require.Equal(t, exitOK, got.status, got.err)
	assert.Contains(t, got.out, "logs")
}

func TestRoutesFilesAreLaidOverEachOther(t *testing.T) {
	got := execute(t, "", "routes", "--config", "../../config.yaml",
		"--config", configFile(t, "processors: {event_router: {default_signals: [metrics]}}"), "order.placed")
	require.Equal(t, exitOK, got.status, got.err)
	assert.Regexp(t, `order\.placed +metrics `, got.out)
}
