// generate writes Grafana's dashboards and the PrometheusRule into deploy: go generate ./internal/dashboards
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/tasker-otel/otelcol-tasker/internal/dashboards"
)

// root is the repository's, from the folder in which go generate runs.
const root = "../.."

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generate the dashboards:", err)
		os.Exit(1)
	}
}

func run() error {
	files, err := dashboards.Files(root)
	if err != nil {
		return err
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("make the folder of %s: %w", name, err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}
