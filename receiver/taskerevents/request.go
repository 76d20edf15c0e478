package taskerevents

import (
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

// formatOf is how items stand in a body of a media type. An absent type and text/plain, which simple senders use, are
// looked at as JSON, which several items one after another are too.
func formatOf(contentType string) (wire.Format, bool) {
	if contentType == "" {
		return wire.FormatAuto, true
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return wire.FormatAuto, false
	}
	switch media {
	case "application/json", "text/plain":
		return wire.FormatAuto, true
	case "application/x-ndjson", "application/ndjson", "application/jsonl":
		return wire.FormatNDJSON, true
	}
	return wire.FormatAuto, false
}

// formatName is the label of the format in receiverhelper's metrics.
func formatName(format wire.Format) string {
	if format == wire.FormatNDJSON {
		return "ndjson"
	}
	return "json"
}

// handler is the receiver's part of the server: one path, one method.
func (r *eventsReceiver) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(r.config.Path, r.serveEvents)
	mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) {
		r.refuseRequest(w, req, fmt.Sprintf("there is nothing here: post events to %s", r.config.Path), http.StatusNotFound)
	})
	return mux
}

// refuseRequest answers a request whose body was not decoded. confighttp calls it too, when it cannot inflate a body or
// authenticate its sender.
func (r *eventsReceiver) refuseRequest(w http.ResponseWriter, req *http.Request, message string, status int) {
	r.telemetry.undecoded(req.Context(), status)
	answer{Error: message}.write(w, status)
}

// serveEvents answers one request. Each step has already answered when it fails.
func (r *eventsReceiver) serveEvents(w http.ResponseWriter, req *http.Request) {
	format, ok := r.checkHead(w, req)
	if !ok {
		return
	}
	body, err := r.bodies.read(req)
	if limit, over := tooLarge(err); over {
		r.refuseRequest(w, req, fmt.Sprintf(
			"the inflated body is larger than %d bytes: send fewer items at once, or raise max_request_body_size", limit),
			http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		r.refuseRequest(w, req, "the body could not be read: "+err.Error(), http.StatusBadRequest)
		return
	}

	ctx := r.observed.StartLogsOp(req.Context())
	logs, report := r.decoder.Decode(body.Bytes(), format)
	r.bodies.giveBack(body)
	if report.Accepted == 0 {
		r.observed.EndLogsOp(ctx, formatName(format), 0, nil)
		r.telemetry.decoded(ctx, report)
		answerTo(report).write(w, statusOfNone(report))
		return
	}
	err = r.next.ConsumeLogs(ctx, logs)
	r.observed.EndLogsOp(ctx, formatName(format), report.Accepted, err)
	if err != nil {
		r.refuseDownstream(w, err)
		return
	}
	r.telemetry.decoded(ctx, report)
	answerTo(report).write(w, http.StatusOK)
}

// checkHead checks what is known before the body.
func (r *eventsReceiver) checkHead(w http.ResponseWriter, req *http.Request) (wire.Format, bool) {
	if req.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		r.refuseRequest(w, req, "the method "+req.Method+" is not allowed: post events", http.StatusMethodNotAllowed)
		return wire.FormatAuto, false
	}
	contentType := strings.TrimSpace(req.Header.Get("Content-Type"))
	format, ok := formatOf(contentType)
	if !ok {
		w.Header().Set("Accept-Post", "application/json, application/x-ndjson")
		r.refuseRequest(w, req, fmt.Sprintf("the content type %q is not supported: send application/json or application/x-ndjson",
			contentType), http.StatusUnsupportedMediaType)
	}
	return format, ok
}

// statusOfNone is the status of a body of which nothing was taken. Nothing to take is no mistake: [] is a good body.
func statusOfNone(report wire.Report) int {
	switch {
	case report.Refused == 0:
		return http.StatusOK
	case report.RefusedBy[wire.ReasonItems] > 0:
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}
