// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// product is a destination that responds to OTLP/HTTP as the product of that name does, and stores what it accepts.
type product struct {
	*sink
	url string

	delay   time.Duration // before each response
	answers atomic.Int64  // a status with which it rejects everything
	unknown atomic.Int64  // requests to unknown paths
}

// Paths of signals. Tempo has the first and Loki the last; each responds with 404 to all others.
const (
	tracesPath   = "/v1/traces"
	logsPath     = "/v1/logs"
	lokiLogsPath = "/otlp/v1/logs"
)

func newTempo(tb testing.TB) *product { return newProduct(tb, 0, tracesPath) }
func newLoki(tb testing.TB) *product  { return newProduct(tb, 0, lokiLogsPath) }

// newBackend accepts both signals, as another collector does.
func newBackend(tb testing.TB) *product { return newProduct(tb, 0, tracesPath, logsPath) }

// newSlowBackend accepts both signals slowly.
func newSlowBackend(tb testing.TB) *product {
	return newProduct(tb, 300*time.Millisecond, tracesPath, logsPath)
}

// newPlainWebServer makes a web server without OTLP, which accepts nothing.
func newPlainWebServer(tb testing.TB) *product { return newProduct(tb, 0) }

func newProduct(tb testing.TB, delay time.Duration, paths ...string) *product {
	tb.Helper()
	p := &product{sink: &sink{}, delay: delay}
	mux := http.NewServeMux()
	for _, path := range paths {
		take, status := p.takeTraces, http.StatusOK
		if path != tracesPath {
			take = p.takeLogs
		}
		if path == lokiLogsPath {
			status = http.StatusNoContent
		}
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) { p.answer(w, r, take, status) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		p.unknown.Add(1)
		http.NotFound(w, r)
	})
	server := httptest.NewServer(mux)
	tb.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func (p *product) answer(w http.ResponseWriter, r *http.Request, take func([]byte) error, status int) {
	if refusal := int(p.answers.Load()); refusal != 0 {
		http.Error(w, http.StatusText(refusal), refusal)
		return
	}
	time.Sleep(p.delay)
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = unpacked
	}
	text, err := io.ReadAll(body)
	if err == nil {
		err = take(text)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.WriteHeader(status)
}

func (p *product) takeTraces(body []byte) error {
	request := ptraceotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		return err
	}
	p.takeSpans(request.Traces())
	return nil
}

func (p *product) takeLogs(body []byte) error {
	request := plogotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		return err
	}
	p.takeRecords(request.Logs())
	return nil
}
