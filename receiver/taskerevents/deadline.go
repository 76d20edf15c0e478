// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"net/http"
	"time"
)

// answerLater sets the write deadline of every request to read_timeout plus write_timeout. The server counts write_timeout from a
// request's headers, so the sender of a slow body would get no answer: its events would be accepted, and sent again.
func (r *eventsReceiver) answerLater(next http.Handler) http.Handler {
	server := &r.config.ServerConfig
	if server.WriteTimeout <= 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		// HTTP/1 and HTTP/2 both support this; otherwise the server's own deadline applies.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(server.ReadTimeout + server.WriteTimeout))
		next.ServeHTTP(w, req)
	})
}

// answerFromNow starts the write_timeout of a request whose body has arrived, or will not arrive.
func (r *eventsReceiver) answerFromNow(connection *http.ResponseController) {
	if timeout := r.config.ServerConfig.WriteTimeout; timeout > 0 {
		_ = connection.SetWriteDeadline(time.Now().Add(timeout)) // as in answerLater
	}
}
