// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package live queries the live pages of a collector (tasker_pages) for its tasks. Its only state is the HTTP client's
// connections.
package live

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/endpoint"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/scrape"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
	"github.com/tasker-otel/otelcol-tasker/internal/treeview"
)

// DefaultAddress is the default address of tasker_pages.
const DefaultAddress = "http://localhost:8890"

// Client queries one collector.
type Client struct {
	base   string
	client *scrape.Client
}

// New makes a client of the pages at an address.
func New(address string, settings scrape.Settings) (*Client, error) {
	u, err := endpoint.ParseHTTP("--from", address, DefaultAddress)
	if err != nil {
		return nil, err
	}
	client, err := scrape.New(settings)
	if err != nil {
		return nil, err
	}
	return &Client{strings.TrimSuffix(u.String(), "/"), client}, nil
}

// List is a page of a list of tasks.
type List struct {
	At    time.Time              `json:"at"`
	Found int                    `json:"found"`
	Tasks []livedata.TaskSummary `json:"tasks"`
}

// Tasks lists tasks. The parameters are documented in docs/pages.md.
func (c *Client) Tasks(ctx context.Context, parameters url.Values) (*List, error) {
	list := new(List)
	return list, c.get(ctx, "/api/v1/tasks?"+parameters.Encode(), list)
}

// leastOfKey is the minimum length of a key's prefix; shorter texts are task IDs.
const leastOfKey = 8

// Trees returns the runs of a task, given by its ID or key. An ID may match several tasks, of different services.
func (c *Client) Trees(ctx context.Context, task string) ([]*tree.Tree, error) {
	list, err := c.Tasks(ctx, url.Values{"q": {task}, "limit": {"1000"}})
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, t := range list.Tasks {
		if (t.ID == task || len(task) >= leastOfKey && strings.HasPrefix(t.Key, strings.ToLower(task))) && !slices.Contains(keys, t.Key) {
			keys = append(keys, t.Key)
		}
	}
	var trees []*tree.Tree
	for _, key := range keys {
		var answer struct {
			Runs []json.RawMessage `json:"runs"`
		}
		if err := c.get(ctx, "/api/v1/tasks/"+url.PathEscape(key), &answer); err != nil {
			return nil, err
		}
		for _, text := range answer.Runs {
			tree, err := treeview.ReadJSON(text)
			if err != nil {
				return nil, fmt.Errorf("%s: task %s: %w", c.base, key, err)
			}
			trees = append(trees, tree)
		}
	}
	if len(trees) == 0 {
		return nil, fmt.Errorf("%s holds no task %q: another collector may, or it was emitted too long ago", c.base, task)
	}
	return trees, nil
}

func (c *Client) get(ctx context.Context, path string, into any) error {
	target, err := scrape.One(c.base + path)
	if err != nil {
		return err
	}
	answer, err := c.client.Get(ctx, target, "application/json", http.StatusBadRequest, http.StatusNotFound)
	if err != nil {
		return err
	}
	if answer.Status != http.StatusOK {
		var refusal struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(answer.Body, &refusal) == nil && refusal.Error != "" {
			return fmt.Errorf("%s: %s", c.base, refusal.Error)
		}
		return fmt.Errorf("%s answers %d: it is not the address of live pages (tasker_pages)", c.base, answer.Status)
	}
	if err := json.Unmarshal(answer.Body, into); err != nil {
		return fmt.Errorf("%s does not respond like live pages (tasker_pages): %w", c.base, err)
	}
	return nil
}
