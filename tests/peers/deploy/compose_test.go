// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// composeFile is the used part of the compose specification. Decoding is strict, to find misspelled keys.
type composeFile struct {
	Name     string                     `json:"name"`
	Services map[string]*composeService `json:"services"`
	Volumes  map[string]*struct{}       `json:"volumes"`
}

type composeService struct {
	Build *struct {
		Context    string `json:"context"`
		Dockerfile string `json:"dockerfile"`
	} `json:"build"`
	Image           string            `json:"image"`
	Profiles        []string          `json:"profiles"`
	Entrypoint      []string          `json:"entrypoint"`
	Command         []string          `json:"command"`
	Environment     map[string]string `json:"environment"`
	Ports           []string          `json:"ports"`
	Volumes         []string          `json:"volumes"`
	DependsOn       []string          `json:"depends_on"`
	ReadOnly        bool              `json:"read_only"`
	CapDrop         []string          `json:"cap_drop"`
	SecurityOpt     []string          `json:"security_opt"`
	MemLimit        string            `json:"mem_limit"`
	Restart         string            `json:"restart"`
	StopGracePeriod string            `json:"stop_grace_period"`
	Logging         *struct {
		Driver string `json:"driver"`
	} `json:"logging"`
}

// readCompose merges the files as far as these need it.
func readCompose(t *testing.T, names ...string) composeFile {
	t.Helper()
	all := composeFile{Services: map[string]*composeService{}, Volumes: map[string]*struct{}{}}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join("compose", name))
		require.NoError(t, err)
		var file composeFile
		require.NoError(t, yaml.UnmarshalStrict(text, &file), name)
		for service, settings := range file.Services {
			below, found := all.Services[service]
			if !found {
				all.Services[service] = settings
				continue
			}
			if settings.Command != nil {
				below.Command = settings.Command
			}
			for key, value := range settings.Environment {
				below.Environment[key] = value
			}
			below.DependsOn = append(below.DependsOn, settings.DependsOn...)
		}
		for volume := range file.Volumes {
			all.Volumes[volume] = nil
		}
	}
	return all
}

// TestCompose checks that everything the services refer to exists, and that no unnecessary port is open.
func TestCompose(t *testing.T) {
	for _, names := range [][]string{{"compose.yaml"}, {"compose.yaml", "compose.traces.yaml"}} {
		file := readCompose(t, names...)
		for name, service := range file.Services {
			assert.NotEmpty(t, service.Image, name)
			if service.Build == nil && service.Image != "otelcol-tasker" {
				assert.Regexp(t, `^docker\.io/.+:v?\d+\.\d+\.\d+$`, service.Image, "%s: an image of a version", name)
			}
			if service.Build != nil {
				assert.FileExists(t, filepath.Join("compose", service.Build.Context, service.Build.Dockerfile))
			}
			assert.Equal(t, []string{"ALL"}, service.CapDrop, name)
			assert.Contains(t, service.SecurityOpt, "no-new-privileges:true", name)
			assert.NotEmpty(t, service.MemLimit, name)
			if service.Restart != "" && assert.NotNil(t, service.Logging, name) {
				assert.Equal(t, "local", service.Logging.Driver, "%s: what it logs is bounded", name)
			}
			for _, port := range service.Ports {
				assert.True(t, strings.HasPrefix(port, "127.0.0.1:"), "%s: %s is open to others", name, port)
			}
			for _, other := range service.DependsOn {
				assert.Contains(t, file.Services, other, name)
			}
			for _, volume := range service.Volumes {
				source, _, _ := strings.Cut(volume, ":")
				if strings.HasPrefix(source, ".") {
					_, err := os.Stat(filepath.Join("compose", source))
					assert.NoError(t, err, name)
				} else {
					assert.Contains(t, file.Volumes, source, name)
				}
			}
		}
		collector := file.Services["collector"]
		fourFifths(t, "collector", strings.ToUpper(collector.MemLimit)+"i", strings.TrimSuffix(collector.Environment["GOMEMLIMIT"], "B"))
		checkDestinations(t, strings.Join(names, "+"), collector.Environment)
		for _, argument := range collector.Command {
			if config, isOurs := strings.CutPrefix(argument, "/etc/otelcol-tasker/"); isOurs {
				assert.FileExists(t, filepath.Join("otelcol", config))
			}
		}
	}
}

// TestComposeScrapesTheCollector checks that Prometheus scrapes as in the configuration for a machine.
func TestComposeScrapesTheCollector(t *testing.T) {
	read := func(path string) (config map[string]any, text string) {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		text = strings.ReplaceAll(string(content), "[collector:", "[localhost:")
		require.NoError(t, yaml.Unmarshal([]byte(text), &config))
		return config, string(content)
	}
	ours, text := read("compose/prometheus.yml")
	require.NotContains(t, text, "[localhost:")
	theirs, _ := read("prometheus/prometheus.yml")
	assert.Equal(t, theirs, ours)
	services := readCompose(t, "compose.yaml").Services
	assert.Contains(t, services, "collector")
	// Without these features exemplars are missing, and the first task of a new user is 0 on the dashboards.
	assert.Contains(t, services["prometheus"].Command, "--enable-feature=exemplar-storage,created-timestamp-zero-ingestion")
}

// TestDockerfile checks that the image contains all configurations and nothing else, does not run as root, and is built
// with go.mod's Go version.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("Dockerfile")
	require.NoError(t, err)
	dockerfile := string(text)
	module, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	language := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(module))
	require.Len(t, language, 2)
	assert.Contains(t, dockerfile, "FROM --platform=$BUILDPLATFORM docker.io/library/golang:"+language[1]+"-")
	configs, err := filepath.Glob("otelcol/*.yaml")
	require.NoError(t, err)
	for _, config := range configs {
		if filepath.Base(config) != "kustomization.yaml" {
			assert.Contains(t, dockerfile, "deploy/"+filepath.ToSlash(config))
		}
	}
	assert.Contains(t, dockerfile, "cp LICENSE /image/", "whoever gets the image gets the licence")
	_, last, found := strings.Cut(dockerfile, "\nFROM scratch\n")
	require.True(t, found)
	assert.Contains(t, last, "\nUSER 10001:10001\n")
	assert.NotContains(t, last, "\nRUN ", "there is nothing in it that could run")
}

// composeLoader is the library with which docker compose reads its files.
const composeLoader = "github.com/compose-spec/compose-go/v2/cmd@v2.16.2"

// TestComposeItself checks that docker compose reads the files as readCompose does.
func TestComposeItself(t *testing.T) {
	if os.Getenv("TASKER_PEERS") == "" {
		t.Skip("needs a peer: set TASKER_PEERS=1, and go run fetches " + composeLoader)
	}
	directory := t.TempDir()
	loader := exec.Command("go", "install", composeLoader)
	loader.Env = append(os.Environ(), "GOBIN="+directory)
	answer, err := loader.CombinedOutput()
	require.NoError(t, err, "%s", answer)
	for _, names := range [][]string{{"compose.yaml"}, {"compose.yaml", "compose.traces.yaml"}} {
		load := exec.Command(filepath.Join(directory, "cmd"), append([]string{"-format", "json"}, names...)...)
		load.Dir = "compose"
		var problems bytes.Buffer
		load.Stderr = &problems
		answer, err := load.Output()
		require.NoError(t, err, "%s: %s", names, problems.String())
		var loaded struct {
			Services map[string]struct {
				Command     []string
				Environment any // a map, or a list after merging
				Image       string
				ReadOnly    bool                `json:"read_only"`
				CapDrop     []string            `json:"cap_drop"`
				DependsOn   map[string]struct{} `json:"depends_on"`
			}
		}
		require.NoError(t, json.Unmarshal(answer, &loaded))
		ours := readCompose(t, names...)
		for name, service := range ours.Services {
			theirs, found := loaded.Services[name]
			require.True(t, found, name)
			assert.Equal(t, service.Image, theirs.Image, name)
			assert.Equal(t, service.Command, theirs.Command, name)
			assert.Equal(t, service.ReadOnly, theirs.ReadOnly, name)
			assert.Equal(t, service.CapDrop, theirs.CapDrop, name)
			variables := map[string]string{}
			switch environment := theirs.Environment.(type) {
			case map[string]any:
				for key, value := range environment {
					variables[key] = value.(string)
				}
			case []any:
				for _, pair := range environment {
					key, value, _ := strings.Cut(pair.(string), "=")
					variables[key] = value
				}
			}
			assert.Len(t, variables, len(service.Environment), name)
			for key, value := range service.Environment {
				assert.Equal(t, value, variables[key], "%s: %s", name, key)
			}
			for _, other := range service.DependsOn {
				assert.Contains(t, theirs.DependsOn, other, name)
			}
		}
	}
}
