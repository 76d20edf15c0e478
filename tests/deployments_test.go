// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// settings are the configurations and the environment of a deployment's collector. Only addresses, directories, names and
// secrets are replaced by those of a test.
type settings struct {
	files       []string
	environment map[string]string
}

// configured is the path of deploy/otelcol's configurations in the image and the units.
const configured = "/etc/otelcol-tasker/"

// options returns the values of --config FILE and --config=FILE.
func options(t *testing.T, arguments []string) (files []string) {
	t.Helper()
	for i := 0; i < len(arguments); i++ {
		file, found := strings.CutPrefix(arguments[i], "--config=")
		if !found {
			require.Equal(t, "--config", arguments[i])
			i++
			file = arguments[i]
		}
		name, found := strings.CutPrefix(file, configured)
		require.True(t, found, file)
		files = append(files, "../deploy/otelcol/"+name)
	}
	return files
}

// composed reads the collector's service from compose files, later ones merged over earlier ones.
func composed(t *testing.T, names ...string) settings {
	t.Helper()
	all := settings{environment: map[string]string{}}
	for _, name := range names {
		var file struct {
			Services struct {
				Collector struct {
					Command     []string
					Environment map[string]string
				}
			}
		}
		readYAML(t, filepath.Join("../deploy/compose", name), &file)
		if command := file.Services.Collector.Command; command != nil {
			all.files = options(t, command)
		}
		maps.Copy(all.environment, file.Services.Collector.Environment)
	}
	return all
}

// kubernetes reads the collector's container from the manifests of a single collector. A test of deploy compares the values
// for Helm with them.
func kubernetes(t *testing.T) settings {
	t.Helper()
	var set struct {
		Spec struct {
			Template struct {
				Spec struct {
					Containers []struct {
						Args []string
						Env  []struct{ Name, Value string }
					}
				}
			}
		}
	}
	readYAML(t, "../deploy/kubernetes/base/statefulset.yaml", &set)
	container := set.Spec.Template.Spec.Containers[0]
	all := settings{options(t, container.Args), map[string]string{}}
	for _, variable := range container.Env {
		all.environment[variable.Name] = variable.Value
	}
	return all
}

// systemd reads the unit and its environment file. The named ones of its commented destinations replace the collector's
// log, as the comments describe.
func systemd(t *testing.T, destinations ...string) settings {
	t.Helper()
	unit, err := os.ReadFile("../deploy/systemd/otelcol-tasker.service")
	require.NoError(t, err)
	start := regexp.MustCompile(`(?m)^ExecStart=/usr/bin/otelcol-tasker (.+) \$OTELCOL_OPTIONS$`).FindStringSubmatch(string(unit))
	require.Len(t, start, 2)
	variables, err := os.ReadFile("../deploy/systemd/otelcol-tasker.env")
	require.NoError(t, err)
	all := settings{options(t, strings.Fields(start[1])), map[string]string{}}
	offered := map[string]string{}
	for _, line := range regexp.MustCompile(`(?m)^(#?)([A-Z_]+)=(.*)$`).FindAllStringSubmatch(string(variables), -1) {
		if line[1] == "" {
			all.environment[line[2]] = line[3]
		} else {
			offered[line[2]] = line[3]
		}
	}
	inPlaceOf := map[string]string{
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "TASKER_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "TASKER_RECORDS_EXPORTER",
	}
	for _, name := range destinations {
		require.Contains(t, offered, name)
		all.environment[name] = offered[name]
		delete(all.environment, inPlaceOf[name])
	}
	for _, pair := range regexp.MustCompile(`(TASKER_\w+)=(\S+)`).FindAllStringSubmatch(string(unit), -1) {
		all.environment[pair[1]] = pair[2]
	}
	return all
}

// addressed replaces the hosts of products by URLs of a test, keeping the paths.
func (s settings) addressed(urls map[string]string) settings {
	for name, value := range s.environment {
		for from, to := range urls {
			if rest, found := strings.CutPrefix(value, from); found {
				s.environment[name] = to + rest
			}
		}
	}
	return s
}

// with adds variables.
func (s settings) with(variables ...string) settings {
	s.environment = maps.Clone(s.environment)
	if s.environment == nil {
		s.environment = map[string]string{}
	}
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		s.environment[name] = value
	}
	return s
}
