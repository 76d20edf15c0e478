// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package catalogue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// ownPrefix is the prefix of the collector's internal metrics. The configurations in this repository add no suffixes, so a
// counter has no _total.
const ownPrefix = "otelcol_"

// metadata is the part of a metadata.yaml that defines metrics.
type metadata struct {
	Attributes map[string]struct {
		NameOverride string `json:"name_override"`
	} `json:"attributes"`
	Telemetry struct {
		Metrics map[string]struct {
			Description string    `json:"description"`
			Unit        string    `json:"unit"`
			Prefix      *string   `json:"prefix"`
			Attributes  []string  `json:"attributes"`
			Sum         *struct{} `json:"sum"`
			Gauge       *struct{} `json:"gauge"`
			Histogram   *struct{} `json:"histogram"`
		} `json:"metrics"`
	} `json:"telemetry"`
}

// readComponents reads the metadata of this repository's components.
func readComponents(root string) ([]Metric, error) {
	var metrics []Metric
	for _, class := range []string{"receiver", "processor", "connector", "exporter", "extension", "telemetry"} {
		paths, err := filepath.Glob(filepath.Join(root, class, "*", "metadata.yaml"))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			of, err := readMetadata(path)
			if err != nil {
				return nil, err
			}
			metrics = append(metrics, of...)
		}
	}
	return metrics, nil
}

// collectorModules are the collector's modules whose metrics rules and dashboards may use, with the labels that their code
// adds to those of their metadata.
var collectorModules = []struct {
	path   string
	labels []string
}{
	{"go.opentelemetry.io/collector/service", nil},
	{"go.opentelemetry.io/collector/receiver/receiverhelper", []string{"receiver", "transport"}},
	{"go.opentelemetry.io/collector/processor/processorhelper", []string{"processor", "otel_signal"}},
	{"go.opentelemetry.io/collector/processor/memorylimiterprocessor", []string{"processor"}},
	{"go.opentelemetry.io/collector/exporter/exporterhelper", []string{"exporter", "data_type", "server_address", "server_port"}},
}

// readCollector reads the metadata of the collector's modules, at the versions of cmd/otelcol-tasker/go.mod. They are
// downloaded if they are not in the module cache.
func readCollector(root string) ([]Metric, error) {
	args := []string{"mod", "download", "-json"}
	for _, module := range collectorModules {
		args = append(args, module.path)
	}
	download := exec.Command("go", args...)
	download.Dir, download.Stderr = filepath.Join(root, "cmd", "otelcol-tasker"), os.Stderr
	output, err := download.Output()
	if err != nil {
		return nil, fmt.Errorf("find the collector's modules with go mod download: %w", err)
	}
	folders := map[string]string{}
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var module struct{ Path, Dir string }
		if err := decoder.Decode(&module); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read the answer of go mod download: %w", err)
		}
		folders[module.Path] = module.Dir
	}
	var metrics []Metric
	for _, module := range collectorModules {
		of, err := readMetadata(filepath.Join(folders[module.path], "metadata.yaml"))
		if err != nil {
			return nil, err
		}
		for _, m := range of {
			m.Labels = slices.Compact(slices.Sorted(slices.Values(append(m.Labels, module.labels...))))
			metrics = append(metrics, m)
		}
	}
	return metrics, nil
}

func readMetadata(path string) ([]Metric, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read a component's metrics: %w", err)
	}
	metrics, err := parseMetadata(text)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return metrics, nil
}

func parseMetadata(text []byte) ([]Metric, error) {
	var data metadata
	if err := yaml.Unmarshal(text, &data); err != nil {
		return nil, err
	}
	var metrics []Metric
	for name, defined := range data.Telemetry.Metrics {
		prefix := ownPrefix
		if defined.Prefix != nil {
			prefix = *defined.Prefix
		}
		m := Metric{Name: prefix + name, Unit: defined.Unit, Description: defined.Description}
		switch {
		case defined.Sum != nil:
			m.Kind = Counter
		case defined.Gauge != nil:
			m.Kind = Gauge
		case defined.Histogram != nil:
			m.Kind = Histogram
		default:
			return nil, fmt.Errorf("%s is neither sum, gauge nor histogram", name)
		}
		for _, label := range defined.Attributes {
			if override := data.Attributes[label].NameOverride; override != "" {
				label = override
			}
			m.Labels = append(m.Labels, strings.ReplaceAll(label, ".", "_"))
		}
		metrics = append(metrics, m)
	}
	slices.SortFunc(metrics, func(a, b Metric) int { return strings.Compare(a.Name, b.Name) })
	return metrics, nil
}
