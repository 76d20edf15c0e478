// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"io"
	"net/http"
)

// answerHealth answers load balancers, which check the port that they send to and have no token: so it comes before authentication.
// It reports that requests are accepted, not that the pipeline accepts their events: a receiver that asks its senders to retry must
// stay in rotation, or its load falls on the others.
func answerHealth(path string, next http.Handler) http.Handler {
	if path == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path != path || req.Method != http.MethodGet && req.Method != http.MethodHead {
			next.ServeHTTP(w, req)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = io.WriteString(w, "ok\n") // the client may have disconnected
	})
}
