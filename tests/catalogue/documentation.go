package catalogue

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// quoted finds what a cell has in backquotes.
var quoted = regexp.MustCompile("`([^`]+)`")

// readDocumentation reads the tables of docs/metrics.md: what span_to_metrics makes.
func readDocumentation(root string) ([]Metric, error) {
	path := filepath.Join(root, "docs", "metrics.md")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the metrics of span_to_metrics: %w", err)
	}
	metrics, err := parseDocumentation(string(text))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return metrics, nil
}

func parseDocumentation(text string) ([]Metric, error) {
	kinds := map[string]Kind{"sum": Counter, "gauge": Gauge, "histogram": Histogram}
	var metrics []Metric
	var header []string
	for line := range strings.Lines(text) {
		cells := tableRow(line)
		if cells == nil {
			header = nil
			continue
		}
		if header == nil {
			header = cells
			continue
		}
		if !slices.Contains(header, "Prometheus") || !strings.HasPrefix(cells[0], "`") {
			continue
		}
		if len(cells) != len(header) {
			return nil, fmt.Errorf("the row of %s has %d cells, the header %d", cells[0], len(cells), len(header))
		}
		cell := func(name string) string {
			if i := slices.Index(header, name); i >= 0 {
				return cells[i]
			}
			return ""
		}
		m := Metric{
			Name: strings.Trim(cell("Prometheus"), "`"), Kind: kinds[cell("type")], Unit: strings.Trim(cell("unit"), "`"),
			Description: cell("what it counts"),
		}
		if m.Kind == "" {
			return nil, fmt.Errorf("%s: unknown type %q", m.Name, cell("type"))
		}
		for _, label := range quoted.FindAllStringSubmatch(cell("labels"), -1) {
			m.Labels = append(m.Labels, strings.ReplaceAll(label[1], ".", "_"))
		}
		metrics = append(metrics, m)
	}
	return metrics, nil
}

// tableRow splits a line of a Markdown table into its cells; nil for any other line.
func tableRow(line string) []string {
	line = strings.TrimSpace(line)
	if len(line) < 2 || line[0] != '|' || line[len(line)-1] != '|' {
		return nil
	}
	cells := strings.Split(line[1:len(line)-1], "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}
