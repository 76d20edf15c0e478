// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"io"
	"net/http"
)

// answerHealth answers load balancers, which ask the port that they send to and have no token to show: so it stands before
// authentication. It says that requests are taken, not that the pipeline takes their events: a receiver that asks its senders
// to come back must stay in the balance, or its load falls on the others.
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
		_, _ = io.WriteString(w, "ok\n") // whoever has gone needs no answer
	})
}
