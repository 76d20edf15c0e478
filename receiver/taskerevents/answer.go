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

// answer is the body of every response.
type answer struct {
	// Accepted items, which the pipeline has taken.
	Accepted int `json:"accepted"`
	// RefusedCount counts the refused items; Refused lists the first of them.
	RefusedCount int            `json:"refused_count"`
	Refused      []wire.Refusal `json:"refused"`
	// Error is why nothing was looked at, or nothing could be taken now.
	Error string `json:"error,omitempty"`
}

func answerTo(report wire.Report) answer {
	return answer{Accepted: report.Accepted, RefusedCount: report.Refused, Refused: report.Refusals}
}

func (a answer) write(w http.ResponseWriter, status int) {
	if a.Refused == nil {
		a.Refused = []wire.Refusal{}
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// A sender that is gone gets no answer.
	_ = json.NewEncoder(w).Encode(a)
}

// refuseDownstream answers a request whose events the pipeline did not take. Nothing of it counts as accepted.
func (r *eventsReceiver) refuseDownstream(w http.ResponseWriter, err error) {
	status, wait := statusOf(err)
	if wait > 0 {
		seconds := (wait + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	} else {
		// The sender will not come again: this is the last that is heard of these events.
		r.settings.Logger.Error("The pipeline permanently rejected events", zap.Error(err))
	}
	answer{Error: err.Error()}.write(w, status)
}
