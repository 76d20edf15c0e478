// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/counter"
)

//go:embed static
var static embed.FS

//go:embed templates
var texts embed.FS

// policy restricts pages to resources of this server, without inline scripts and styles.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// pageKind is a kind of page: a template and its content.
type pageKind struct {
	name     string
	title    string
	section  string // in the navigation
	template *template.Template
	build    func(*http.Request) (any, error)
}

// handler serves the pages, their static files, and the API.
func (p *pages) handler() http.Handler {
	mux := http.NewServeMux()
	show := func(pattern, name, title, section string, build func(*http.Request) (any, error)) {
		kind := &pageKind{name, title, section, parse(name), build}
		mux.HandleFunc("GET "+pattern, func(w http.ResponseWriter, r *http.Request) { p.show(w, r, kind) })
	}
	show("/{$}", "overview", "Overview", "overview", p.overview)
	show("/tasks", "tasks", "Tasks", "tasks", p.taskListPage)
	show("/tasks/{key}", "task", "Task", "tasks", p.task)
	show("/workflows", "workflows", "Workflows", "workflows", p.workflows)
	show("/workflow", "workflow", "Workflow", "workflows", p.workflow)
	show("/routes", "routes", "Routes", "routes", p.routes)
	show("/collector", "collector", "Collector", "collector", p.collector)
	for pattern, build := range map[string]func(*http.Request) (any, error){
		"/api/v1/overview": p.apiOverview, "/api/v1/tasks": p.apiTasks, "/api/v1/tasks/{key}": p.apiTask,
		"/api/v1/workflow": p.apiWorkflow, "/api/v1/routes": p.apiRoutes, "/api/v1/collector": p.apiCollector,
	} {
		mux.HandleFunc("GET "+pattern, func(w http.ResponseWriter, r *http.Request) { p.answer(w, r, build) })
	}
	files, _ := fs.Sub(static, "static") // the folder is embedded
	assets := http.StripPrefix("/static/", http.FileServerFS(files))
	mux.HandleFunc("GET /static/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=300")
		assets.ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /live", func(w http.ResponseWriter, r *http.Request) { p.live(w, r, mux) })
	missing := &pageKind{"error", "Not found", "", parse("error"), func(*http.Request) (any, error) { return nil, errNoPage }}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { p.show(w, r, missing) })
	return p.guard(mux)
}

var errNoPage = errors.New("there is no such page")

// guard sets the headers of every response, and rejects requests that another site has made a browser send.
func (p *pages) guard(next http.Handler) http.Handler {
	local := isLocal(p.config.ServerConfig.NetAddr.Endpoint)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if local && !p.allowed(r.Host) {
			p.refused(r.Context(), "host")
			http.Error(w, "These pages are served on localhost. To use another host name, add it to allowed_hosts of tasker_pages.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLocal reports whether only the machine itself can connect. Then a foreign host name is that of a site that resolves it
// to localhost in order to read the pages (DNS rebinding).
func isLocal(endpoint string) bool {
	host, _, err := net.SplitHostPort(endpoint)
	return err == nil && isLoopback(host)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func (p *pages) allowed(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return isLoopback(host) || slices.ContainsFunc(p.config.AllowedHosts, func(h string) bool { return strings.EqualFold(h, host) })
}

// frame is the common part of all pages.
type frame struct {
	Title   string
	Section string
	Search  string
	About   about
	Live    string // the address of the page, if it is live
	Main    any
	Error   string
}

// liveKey is the context key of requests for the main part of a page only.
type liveKey struct{}

func (p *pages) show(w http.ResponseWriter, r *http.Request, kind *pageKind) {
	counter.Add(r.Context(), p.telemetry.ExtensionTaskerPagesRendered, 1, counter.With("page", kind.name))
	data, err := kind.build(r)
	status, tmpl := http.StatusOK, kind.template
	f := frame{Title: kind.title, Section: kind.section, Search: searchText(r.URL.Query().Get("q")), About: p.about, Main: data, Live: r.URL.RequestURI()}
	if err != nil {
		status = statusOf(err)
		f.Title, f.Error, f.Live = "Not shown", err.Error(), ""
		tmpl = errorPage
	}
	if t, ok := data.(*taskPage); ok && err == nil {
		f.Title = name(t.Name) + " " + name(t.ID)
		if !t.Live {
			f.Live = ""
		}
	}
	if v, ok := data.(*workflowPage); ok && err == nil {
		f.Title = name(v.Name)
	}
	part := "page"
	if r.Context().Value(liveKey{}) != nil {
		part = "main"
	}
	var out bytes.Buffer
	if err := tmpl.ExecuteTemplate(&out, part, &f); err != nil {
		p.settings.Logger.Error("A page could not be rendered", zap.String("page", kind.name), zap.Error(err))
		http.Error(w, "the page could not be rendered", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if f.Live == "" {
		w.Header().Set(endHeader, "1")
	}
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // fails if the viewer has gone
}

// endHeader is set on a response with the main part of a page that will not change anymore.
const endHeader = "X-Tasker-Settled"

func statusOf(err error) int {
	if errors.Is(err, errNoTask) || errors.Is(err, errNoWorkflow) || errors.Is(err, errNoPage) {
		return http.StatusNotFound
	}
	return http.StatusBadRequest
}

// answer answers an API request.
func (p *pages) answer(w http.ResponseWriter, r *http.Request, build func(*http.Request) (any, error)) {
	data, err := build(r)
	status := http.StatusOK
	if err != nil {
		status = statusOf(err)
		data = map[string]string{"error": err.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	_ = encoder.Encode(data) // fails if the client has gone
}

// live sends the main part of a page whenever it has changed. The interval grows with the cost of rendering, so that a
// viewer takes at most a twentieth of a core.
func (p *pages) live(w http.ResponseWriter, r *http.Request, mux http.Handler) {
	address := r.URL.Query().Get("page")
	inner, err := http.NewRequestWithContext(r.Context(), http.MethodGet, address, http.NoBody)
	if err != nil || inner.URL.Host != "" || !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "/live") {
		http.Error(w, "page: write the path of a page", http.StatusBadRequest)
		return
	}
	if n := p.viewers.Add(1); n > int64(p.config.MaxViewers) {
		p.viewers.Add(-1)
		p.refused(r.Context(), "viewers")
		http.Error(w, "the limit of live pages, max_viewers of tasker_pages, is reached", http.StatusServiceUnavailable)
		return
	}
	defer p.viewers.Add(-1)
	inner = inner.WithContext(context.WithValue(r.Context(), liveKey{}, true))
	w.Header().Set("Content-Type", "text/event-stream")
	stream := http.NewResponseController(w)
	_ = stream.SetWriteDeadline(time.Time{}) // fails if the server has no deadlines
	var last []byte
	wait := time.Duration(0)
	for {
		select {
		case <-r.Context().Done():
			return
		case <-p.running.Done():
			return
		case <-time.After(wait):
		}
		began := time.Now()
		answer := recorder{header: http.Header{}, status: http.StatusOK}
		mux.ServeHTTP(&answer, inner)
		ended := answer.header.Get(endHeader) != "" || answer.status != http.StatusOK
		if body := answer.body.Bytes(); !bytes.Equal(body, last) && answer.status == http.StatusOK {
			if sendEvent(w, "main", body) != nil || stream.Flush() != nil {
				return
			}
			last = body
		}
		if ended {
			_ = sendEvent(w, "end", nil)
			_ = stream.Flush()
			return
		}
		wait = max(p.config.RefreshInterval, 20*time.Since(began))
	}
}
