// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

// answer is the body of every response, in JSON or as OTLP has it.
type answer struct {
	// Accepted is the number of items that the pipeline has accepted.
	Accepted int `json:"accepted"`
	// RefusedCount counts the refused items; Refused lists the first of them.
	RefusedCount int            `json:"refused_count"`
	Refused      []wire.Refusal `json:"refused"`
	// Error is why the body was not decoded, or why nothing could be accepted now.
	Error string `json:"error,omitempty"`
}

func answerTo(report wire.Report) answer {
	return answer{Accepted: report.Accepted, RefusedCount: report.Refused, Refused: report.Refusals}
}

// answer answers a request in the format of its path.
func (r *eventsReceiver) answer(w http.ResponseWriter, req *http.Request, a answer, status int) {
	if r.config.OTLPPath != "" && req.URL.Path == r.config.OTLPPath {
		a.writeOTLP(w, status)
		return
	}
	a.write(w, status)
}

func (a answer) write(w http.ResponseWriter, status int) {
	if a.Refused == nil {
		a.Refused = []wire.Refusal{}
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// The sender may have disconnected.
	_ = json.NewEncoder(w).Encode(a)
}

// refuseDownstream answers a request whose events the pipeline refused. None of its items counts as accepted.
func (r *eventsReceiver) refuseDownstream(w http.ResponseWriter, req *http.Request, err error) {
	status, wait := statusOf(err)
	if wait > 0 {
		seconds := (wait + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	} else {
		// The sender will not retry: this log is the only trace of these events.
		r.settings.Logger.Error("The pipeline permanently rejected events", zap.Error(err))
	}
	r.answer(w, req, answer{Error: err.Error()}, status)
}
