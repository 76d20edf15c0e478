// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// binary is the collector under test. builtCLI is the command line, builtKafka and builtCloudEvents are programs of
// tests/peers, each built when a test first needs it. All are set before any test runs.
var (
	binary                                 string
	builtCLI, builtKafka, builtCloudEvents func() (path string, err error)
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	nextPort.Store(rand.Int64N(lastPort - firstPort))
	dir, err := os.MkdirTemp("", "otelcol-tasker")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	builtCLI = sync.OnceValues(func() (string, error) { return program("TASKER_CLI", dir, "taskerotel") })
	builtKafka = sync.OnceValues(func() (string, error) { return build(dir, "peers/kafka") })
	builtCloudEvents = sync.OnceValues(func() (string, error) { return build(dir, "peers/cloudevents") })
	if binary, err = program("TASKER_BIN", dir, "otelcol-tasker"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// Collectors run in parallel: local pages of the shipped configurations get any free port.
	for _, pages := range []string{"TASKER_ZPAGES", "TASKER_PAGES"} {
		if err := os.Setenv(pages, "localhost:0"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Run()
}

// program returns the path in an environment variable, or else that of the built program.
func program(variable, dir, name string) (string, error) {
	if path := os.Getenv(variable); path != "" {
		return filepath.Abs(path)
	}
	return build(dir, "../cmd/"+name)
}

// build compiles the program in a folder, possibly of another module, into a directory.
func build(dir, folder string) (string, error) {
	path := filepath.Join(dir, filepath.Base(folder))
	command := exec.Command("go", "build", "-o", path, ".")
	command.Dir, command.Stdout, command.Stderr = folder, os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("build of %s: %w", folder, err)
	}
	return path, nil
}
