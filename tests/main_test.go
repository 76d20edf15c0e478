package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the collector under test; set before any test runs.
var binary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if path := os.Getenv("TASKER_BIN"); path != "" {
		var err error
		if binary, err = filepath.Abs(path); err != nil {
			fmt.Fprintln(os.Stderr, "TASKER_BIN:", err)
			return 1
		}
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "otelcol-tasker")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "otelcol-tasker")
	build := exec.Command("go", "build", "-o", binary, "../cmd/otelcol-tasker")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build of the collector:", err)
		return 1
	}
	return m.Run()
}
