// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"net/http"
	"time"
)

// answerLater gives every request the time of read_timeout and write_timeout together until its answer has to be written.
// The server counts write_timeout from the head of a request on, so that the sender of a slow body would not be answered:
// its events would be taken, and it would send them again.
func (r *eventsReceiver) answerLater(next http.Handler) http.Handler {
	server := &r.config.ServerConfig
	if server.WriteTimeout <= 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		// HTTP/1 and HTTP/2 both can; elsewhere the server's own deadline holds.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(server.ReadTimeout + server.WriteTimeout))
		next.ServeHTTP(w, req)
	})
}

// answerFromNow begins the write_timeout of a request whose body has come, or will not come.
func (r *eventsReceiver) answerFromNow(connection *http.ResponseController) {
	if timeout := r.config.ServerConfig.WriteTimeout; timeout > 0 {
		_ = connection.SetWriteDeadline(time.Now().Add(timeout)) // as in answerLater
	}
}
