package spantometrics

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// builtInDefinitions are those of the default configuration.
func builtInDefinitions() []series.Definition {
	cfg := createDefaultConfig().(*Config)
	return cfg.definitions(cfg.metrics())
}

// prometheusName is the name that the Prometheus exporters make by default, for the units that are in use here.
func prometheusName(d *series.Definition) string {
	name := strings.ReplaceAll(d.Name, ".", "_")
	switch d.Unit {
	case "s":
		name += "_seconds"
	case "By":
		name += "_bytes"
	}
	if d.Kind == series.KindSum {
		name += "_total"
	}
	return name
}

// TestDocumentation finds every metric in docs/metrics.md as it is, and no other.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../docs/metrics.md")
	require.NoError(t, err)
	kinds := map[series.Kind]string{series.KindSum: "sum", series.KindHistogram: "histogram", series.KindGauge: "gauge"}
	documented := map[string]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, " | ")
		if name, isRow := strings.CutPrefix(cells[0], "| `tasker."); isRow {
			last := strings.TrimSuffix(strings.TrimSpace(cells[len(cells)-1]), " |")
			documented["tasker."+strings.Trim(name, "`")] = strings.Join([]string{cells[1], cells[2], last}, " ")
		}
	}
	all := builtInDefinitions()
	require.Len(t, documented, len(all))
	for i := range all {
		d := &all[i]
		require.Equal(t, kinds[d.Kind]+" `"+d.Unit+"` `"+prometheusName(d)+"`", documented[d.Name], d.Name)
	}
}

func TestDefinitionsAreWhole(t *testing.T) {
	names := map[string]bool{}
	for _, d := range builtInDefinitions() {
		require.NotEmpty(t, d.Name)
		require.NotEmpty(t, d.Unit)
		require.NotEmpty(t, d.Description)
		require.False(t, names[d.Name], d.Name)
		names[d.Name] = true
		require.Equal(t, d.Kind == series.KindHistogram, d.Bounds != nil)
		require.True(t, slices.IsSorted(d.Bounds))
	}
}
