// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"bytes"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"golang.org/x/net/html"

	"github.com/tasker-otel/otelcol-tasker/extension/taskerpages/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/treedata"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
	"github.com/tasker-otel/otelcol-tasker/internal/treeview"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// held is a component that holds tasks in an assembler.
type held struct {
	mu        sync.Mutex
	assembler *assembly.Assembler
	reader    *treedata.Reader
	trees     []*tree.Tree
	now       func() time.Time

	statistics livedata.Statistics
	late       *livedata.Late
}

func newHeld(now func() time.Time) *held {
	h := &held{reader: treedata.NewReader(), now: now}
	limits := assembly.DefaultLimits()
	h.assembler = assembly.New(limits, func(tree *tree.Tree) { h.trees = append(h.trees, tree.Clone()) })
	h.assembler.Watch()
	return h
}

func (h *held) observe(e *event.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.assembler.Observe(e, h.now())
}

// send adds events in the plain wire format.
func (h *held) send(t testing.TB, lines [][]byte) {
	t.Helper()
	logs, err := streamtest.ToLogs(lines, "")
	require.NoError(t, err)
	var normalizer eventrecord.Normalizer
	for _, rl := range logs.ResourceLogs().All() {
		attrs := rl.Resource().Attributes()
		resource := h.reader.Resource(attrs)
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				normalizer.Normalize(eventrecord.ApplicationOf(attrs), record)
				identity := eventrecord.Identity(record)
				h.observe(h.reader.Event(record.EventName(), record.TraceID(), identity, record.Timestamp(), resource, record.Attributes()))
			}
		}
	}
}

// stream returns the lines of a stream.
func stream(t testing.TB, name string) [][]byte {
	t.Helper()
	text, err := os.ReadFile("../../tests/streamtest/testdata/" + name + ".ndjson")
	require.NoError(t, err)
	return bytes.Split(bytes.TrimSpace(text), []byte("\n"))
}

// release emits the tasks that have ended.
func (h *held) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.assembler.Advance(h.now().Add(time.Minute))
}

// Open implements livedata.Tasks.
func (h *held) Open(text string, now time.Time) (all []assembly.OpenTask) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if text == "" {
		all = make([]assembly.OpenTask, 0, h.assembler.Stats().OpenTasks)
	}
	h.assembler.VisitOpen(math.MaxInt, math.MaxInt, now, assembly.NewSearch(text), func(t *assembly.OpenTask) {
		if len(all) == cap(all) {
			all = slices.Grow(all, max(128, len(all)))
		}
		all = append(all, *t)
	})
	return all
}

// Finished implements livedata.Tasks.
func (h *held) Finished(text string) (all []livedata.Finished) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, tree := range h.trees {
		root := &tree.Spans[0]
		f := livedata.Finished{Key: tree.Key, Run: 1, Resource: tree.Resource, Started: root.Start, Ended: root.End, Emitted: h.now().UnixNano(),
			ID: event.ID{Text: treeview.Text(root.Attributes, lifecycle.AttrTaskID)}, Status: treeview.Status(root),
			Name: treeview.Value(root.Attributes, lifecycle.AttrTaskName).Text, Error: root.Message}
		if assembly.NewSearch(text).In(f.Name + "\x00" + f.ID.Text) {
			all = append(all, f)
		}
	}
	return all
}

// Runs implements livedata.Tasks.
func (h *held) Runs(key event.TraceID) (all []livedata.Run) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, tree := range h.trees {
		if tree.Key == key {
			all = append(all, livedata.Run{Tree: tree, Late: h.late})
		}
	}
	if s := h.assembler.Snapshot(key); s != nil {
		for _, tree := range s.Trees() {
			all = append(all, livedata.Run{Tree: tree, Open: true, Missing: s.Missing(), Late: h.late})
		}
	}
	return all
}

// Statistics implements livedata.Tasks.
func (h *held) Statistics(time.Time) livedata.Statistics { return h.statistics }

// site is the extension without its server.
type site struct {
	t       testing.TB
	pages   *pages
	handler http.Handler
}

func newSite(t testing.TB, change func(*Config)) *site {
	cfg := createDefaultConfig().(*Config)
	cfg.OwnMetrics = ""
	if change != nil {
		change(cfg)
	}
	require.NoError(t, cfg.Validate())
	p, err := newPages(extensiontest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	return &site{t, p, p.handler()}
}

func (s *site) offer(tasks livedata.Tasks) {
	s.pages.OfferTasks(component.MustNewID("span_hierarchy"), tasks)
}

func (s *site) get(path string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://localhost:8890"+path, http.NoBody)
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// page requests a page and checks that it is well-formed.
func (s *site) page(path string) string {
	s.t.Helper()
	w := s.get(path)
	require.Equal(s.t, http.StatusOK, w.Code, "%s: %s", path, w.Body)
	text := w.Body.String()
	checkMarkup(s.t, text)
	return text
}

// checkMarkup checks that elements are closed and IDs are unique.
func checkMarkup(t testing.TB, text string) {
	t.Helper()
	tokens := html.NewTokenizer(strings.NewReader(text))
	var open []string
	ids := map[string]bool{}
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			require.ErrorIs(t, tokens.Err(), io.EOF)
			require.Empty(t, open)
			return
		case html.StartTagToken:
			token := tokens.Token()
			for _, a := range token.Attr {
				require.NotEqual(t, "style", a.Key)
				require.False(t, strings.HasPrefix(a.Key, "on"), a.Key)
				if a.Key == "id" {
					require.False(t, ids[a.Val], "two elements with the id %q", a.Val)
					ids[a.Val] = true
				}
			}
			if !slices.Contains([]string{"meta", "link", "input", "br"}, token.Data) {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			name := tokens.Token().Data
			require.NotEmpty(t, open, name)
			require.Equal(t, open[len(open)-1], name)
			open = open[:len(open)-1]
		}
	}
}
