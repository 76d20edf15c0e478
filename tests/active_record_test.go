// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// needsActiveRecord skips the test if Ruby or a gem is missing.
func needsActiveRecord(t *testing.T, driver string) string {
	t.Helper()
	ruby := peer(t, "ruby")
	if err := exec.Command(ruby, "-e", fmt.Sprintf(`require "active_record"; require %q`, driver)).Run(); err != nil {
		t.Skipf("needs a peer: ActiveRecord with %s is not installed (scripts/install-peers.sh)", driver)
	}
	return ruby
}

// postgres starts a server and returns ActiveRecord's connection settings.
func postgres(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	require.NoError(t, err)
	if len(found) == 0 {
		t.Skip("needs a peer: PostgreSQL is not installed (scripts/install-peers.sh)")
	}
	bin := filepath.Dir(slices.Max(found))
	dir, err := os.MkdirTemp("", "pg") // short, because of the length limit of socket paths
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	user := []string{}
	if os.Geteuid() == 0 { // it refuses to run as root
		require.NoError(t, exec.Command("chown", "postgres", dir).Run())
		user = []string{peer(t, "runuser"), "-u", "postgres", "--"}
	}
	run := func(program string, args ...string) {
		command := append(append([]string{}, user...), append([]string{filepath.Join(bin, program)}, args...)...)
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", command, out)
	}
	data := filepath.Join(dir, "data")
	run("initdb", "-D", data, "-A", "trust", "-U", "test", "--no-sync")
	run("pg_ctl", "-D", data, "-w", "-l", filepath.Join(dir, "log"), "-o", fmt.Sprintf("-k %s -c listen_addresses= -c fsync=off", dir), "start")
	t.Cleanup(func() { run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop") })
	return fmt.Sprintf(`{"adapter": "postgresql", "host": %q, "username": "test", "database": "postgres", "pool": 8}`, dir)
}

// TestActiveRecord checks that every statement of every step is a span below its handler, without literals, while other
// code runs in the same process, and that a step's memory is on its span, as a spike or as a sample. Four threads run in
// each of two forked workers.
func TestActiveRecord(t *testing.T) {
	t.Parallel()
	for name, connect := range map[string]func(t *testing.T) string{
		"sqlite3": func(t *testing.T) string {
			return fmt.Sprintf(`{"adapter": "sqlite3", "database": %q, "pool": 1, "checkout_timeout": 120}`, filepath.Join(t.TempDir(), "test.db"))
		},
		"pg": postgres,
	} {
		t.Run(name, func(t *testing.T) {
			ruby := needsActiveRecord(t, name)
			connection := connect(t)
			sink := newSink(t)
			c := start(t, sink, "processors: {span_hierarchy: {settle_timeout: 8s}}") // the script fires few of an engine's events
			const workers, tasks, steps = 2, 10, 2
			out, err := exec.Command(ruby, "testdata/active_record.rb", connection, "http://"+c.events+"/v1/events",
				fmt.Sprint(workers), fmt.Sprint(tasks)).CombinedOutput()
			require.NoError(t, err, "%s", out)
			stats, processes := statsOf(t, string(out))
			assert.Equal(t, workers, processes, "%s", out)
			assert.Zero(t, stats.Waiting)
			memory := map[string]int{}
			for line := range strings.Lines(string(out)) {
				if text, is := strings.CutPrefix(line, "stats "); is {
					var one struct{ Performance map[string]int }
					require.NoError(t, json.Unmarshal([]byte(text), &one))
					assert.Equal(t, tasks*steps*4, one.Performance["queries"])
					assert.Equal(t, tasks*steps, one.Performance["steps"])
					assert.Len(t, one.Performance, 3, "%v", one.Performance)
					memory["spikes"] += one.Performance["memory_spikes"]
					memory["samples"] += one.Performance["memory_samples"]
				}
			}
			assert.Equal(t, map[string]int{"spikes": tasks * steps, "samples": tasks * steps}, memory)
			awaitTasks(t, sink, workers*tasks)
			assert.Zero(t, c.stop())
			checkStatements(t, sink.all(), workers*tasks*steps)
		})
	}
}

// checkStatements checks that each handler has its three statements, without texts and numbers.
func checkStatements(t *testing.T, spans []streamtest.Span, handlers int) {
	t.Helper()
	names, tasks := map[[8]byte]string{}, map[[8]byte]any{}
	for _, span := range spans {
		names[span.SpanID] = span.Name
		tasks[span.SpanID] = span.Attributes["tasker.task_id"]
	}
	verbs := map[string]int{}
	memory := map[string]int{}
	for _, span := range spans {
		for _, event := range span.Events {
			if strings.HasPrefix(event.Name, "performance.memory_") {
				memory[event.Name]++
				assert.Equal(t, "tasker.step.execution", span.Name)
				assert.Contains(t, event.Attributes, "tasker.memory_mb")
			}
		}
		if span.Name != "tasker.database.query" {
			continue
		}
		text, _ := span.Attributes["db.query.text"].(string)
		assert.NotContains(t, text, "SECRET")
		assert.NotContains(t, text, "4711")
		verb, _, _ := strings.Cut(text, " ")
		if names[span.ParentID] == "tasker.step.handler" {
			verbs[verb]++
		}
		assert.Equal(t, tasks[span.ParentID], span.Attributes["tasker.task_id"])
	}
	assert.Equal(t, map[string]int{"INSERT": handlers, "SELECT": handlers, "UPDATE": handlers}, verbs)
	assert.Equal(t, map[string]int{"performance.memory_spike": handlers / 2, "performance.memory_sample": handlers / 2}, memory)
}
