// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package otlplimits

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/collector/extension/extensionmiddleware"

	"github.com/tasker-otel/otelcol-tasker/internal/admission"
	"github.com/tasker-otel/otelcol-tasker/internal/otlpcost"
)

// GetHTTPHandler implements extensionmiddleware.HTTPServer. The bodies that the handler sees are already inflated, and their
// senders authenticated if required.
func (l *limits) GetHTTPHandler(context.Context) (extensionmiddleware.WrapHTTPHandlerFunc, error) {
	return func(_ context.Context, next http.Handler) (http.Handler, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { l.serve(w, req, next) }), nil
	}, nil
}

// signalOf returns the signal of a path.
func signalOf(path string) (otlpcost.Signal, bool) {
	switch {
	case strings.HasSuffix(path, "/logs"):
		return otlpcost.Logs, true
	case strings.HasSuffix(path, "/traces"):
		return otlpcost.Traces, true
	case strings.HasSuffix(path, "/metrics"):
		return otlpcost.Metrics, true
	}
	return 0, false
}

// serve reads and checks the body of a request before the receiver gets it. Requests that are not exports are left to the receiver.
func (l *limits) serve(w http.ResponseWriter, req *http.Request, next http.Handler) {
	signal, known := signalOf(req.URL.Path)
	if !known || req.Method != http.MethodPost {
		next.ServeHTTP(w, req)
		return
	}
	connection := http.NewResponseController(w)
	share := l.room.Admit(req.Body, max(req.ContentLength, 0), func() {
		_ = connection.SetReadDeadline(time.Unix(1, 0)) // otherwise the body ends with read_timeout
	})
	if share == nil {
		l.refuse(w, admission.ErrBusy)
		return
	}
	defer share.Done()
	body, err := l.bodies.Read(share, req.ContentLength)
	if err != nil {
		l.refuse(w, err)
		return
	}
	defer l.bodies.GiveBack(body) // the receiver has read it when its handler returns, and decoding copies
	estimate, err := l.estimate(signal, req.Header.Get("Content-Type"), body.Bytes())
	if err := l.reserve(share, estimate, err); err != nil {
		l.refuse(w, err)
		return
	}
	req.Body, req.ContentLength = io.NopCloser(body), int64(body.Len())
	next.ServeHTTP(w, req)
}

func (l *limits) estimate(signal otlpcost.Signal, contentType string, body []byte) (int64, error) {
	if media, _, _ := mime.ParseMediaType(contentType); media == "application/json" {
		return l.estimator.JSON(body)
	}
	return l.estimator.Protobuf(signal, body)
}

// refuse answers a request by the rules of OTLP: senders retry 429 and 503, but not other 4xx.
func (l *limits) refuse(w http.ResponseWriter, why error) {
	status := http.StatusBadRequest
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(why, admission.ErrBusy), errors.Is(why, admission.ErrSlow):
		w.Header().Set("Retry-After", "1")
		status = http.StatusServiceUnavailable
		l.refused("http", why)
	case errors.Is(why, errSize):
		status = http.StatusRequestEntityTooLarge
		l.refused("http", why)
	case errors.Is(why, otlpcost.ErrDepth):
		l.refused("http", why)
	case errors.As(why, &tooLarge):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(why, os.ErrDeadlineExceeded):
		status = http.StatusRequestTimeout
	}
	http.Error(w, "the request was not taken: "+why.Error(), status)
}
