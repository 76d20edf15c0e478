// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/endpoint"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/scrape"
)

// Health is the status of the extension healthcheckv2.
type Health struct {
	Healthy   bool       `json:"healthy"`
	Status    string     `json:"status"`
	Pipelines []Pipeline `json:"pipelines"`
}

// Pipeline is a pipeline, or the extensions.
type Pipeline struct {
	Name    string `json:"name"`
	Healthy bool   `json:"healthy"`
	Status  string `json:"status"`
	// Problems are those of its components.
	Problems []string `json:"problems,omitempty"`
}

// node is a part of the response.
type node struct {
	Healthy    bool            `json:"healthy"`
	Status     string          `json:"status"`
	Error      string          `json:"error"`
	Components map[string]node `json:"components"`
}

func readHealth(ctx context.Context, client *scrape.Client, address string) (*Health, error) {
	// An unhealthy collector responds with another status than 200, and the reason in the body.
	at, err := endpoint.ParseHTTP("--health", address, DefaultHealth)
	if err != nil {
		return nil, err
	}
	query := at.Query()
	query.Set("verbose", "")
	at.RawQuery = query.Encode()
	answer, err := client.Get(ctx, scrape.Target{URL: at.String()}, "application/json",
		http.StatusServiceUnavailable, http.StatusInternalServerError)
	if err != nil {
		return nil, err
	}
	var all node
	if err := json.Unmarshal(answer.Body, &all); err != nil || all.Status == "" {
		return nil, fmt.Errorf("%s does not respond with the status of healthcheckv2 (enable use_v2 and http::status)", endpoint.Public(address))
	}
	h := &Health{Healthy: all.Healthy, Status: statusName(all.Status), Pipelines: []Pipeline{}}
	for _, name := range slices.Sorted(maps.Keys(all.Components)) {
		part := all.Components[name]
		p := Pipeline{Name: strings.TrimPrefix(name, "pipeline:"), Healthy: part.Healthy, Status: statusName(part.Status)}
		for _, component := range slices.Sorted(maps.Keys(part.Components)) {
			if c := part.Components[component]; c.Error != "" || !c.Healthy {
				p.Problems = append(p.Problems, strings.TrimSuffix(component+": "+c.Error, ": "))
			}
		}
		h.Pipelines = append(h.Pipelines, p)
	}
	return h, nil
}

// statusName removes the prefix Status.
func statusName(text string) string { return strings.TrimPrefix(text, "Status") }
