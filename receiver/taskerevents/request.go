// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/admission"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

// formatOf returns the format of a body by its media type. An absent type and text/plain, which simple senders use, are decoded as
// JSON, and so are several items one after another.
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
	case "application/cloudevents+json", "application/cloudevents-batch+json":
		return wire.FormatCloudEvents, true
	}
	return wire.FormatAuto, false
}

// formatName returns the label of the format in receiverhelper's metrics.
func formatName(request wire.Request) string {
	switch {
	case request.CloudEvent != nil, request.Format == wire.FormatCloudEvents:
		return "cloudevents"
	case request.Format == wire.FormatNDJSON:
		return "ndjson"
	}
	return "json"
}

// handler returns the receiver's part of the server: two paths, one method.
func (r *eventsReceiver) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(r.config.Path, r.serveEvents)
	if r.config.OTLPPath != "" {
		mux.HandleFunc(r.config.OTLPPath, r.serveLogs)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) {
		message := "there is nothing here: post events to " + r.config.Path
		if r.config.OTLPPath != "" {
			message += ", and OTLP logs to " + r.config.OTLPPath
		}
		r.refuseRequest(w, req, message, http.StatusNotFound)
	})
	return mux
}

// refuseRequest answers a request whose body was not decoded. confighttp calls it too, when it fails to inflate a body or
// authenticate its sender.
func (r *eventsReceiver) refuseRequest(w http.ResponseWriter, req *http.Request, message string, status int) {
	if status == http.StatusBadRequest {
		encoding := req.Header.Get(encodingHeader)
		if !r.inflates(encoding) {
			// confighttp answers 400 here, too, which would mean an error in the body.
			r.refuseEncoding(w, req)
			return
		}
		if encoding != "" {
			message += fmt.Sprintf(": send a whole body that is %s, as its Content-Encoding says", encoding)
		}
	}
	r.answerUndecoded(w, req, message, status)
}

func (r *eventsReceiver) answerUndecoded(w http.ResponseWriter, req *http.Request, message string, status int) {
	r.telemetry.undecoded(req.Context(), status)
	r.answer(w, req, answer{Error: message}, status)
}

// content is how the body of a request is decoded.
type content struct {
	// format is the label in receiverhelper's metrics.
	format string
	origin origin.Maker
	// decode returns an error for a body of which nothing can be decoded.
	decode func(body []byte) (plog.Logs, wire.Report, error)
}

// serveEvents answers one request with events. A step that fails has already answered.
func (r *eventsReceiver) serveEvents(w http.ResponseWriter, req *http.Request) {
	request, ok := r.checkHead(w, req)
	if !ok {
		return
	}
	r.receive(w, req, content{formatName(request), origin.Decoder, func(body []byte) (plog.Logs, wire.Report, error) {
		request.Body = body
		logs, report := r.decoder.DecodeRequest(request)
		return logs, report, nil
	}})
}

// receive reads, decodes and passes on the body of a request, and answers it.
func (r *eventsReceiver) receive(w http.ResponseWriter, req *http.Request, of content) {
	connection := http.NewResponseController(w)
	share := r.room.Admit(req.Body, min(req.ContentLength, r.config.ServerConfig.MaxRequestBodySize), func() {
		_ = connection.SetReadDeadline(time.Unix(1, 0)) // otherwise the body ends with read_timeout
	})
	if share == nil {
		r.refuseBusy(w, req, admission.ErrBusy)
		return
	}
	defer share.Done()
	body, err := r.bodies.Read(share, req.ContentLength)
	r.answerFromNow(connection)
	if errors.Is(err, admission.ErrBusy) || errors.Is(err, admission.ErrSlow) {
		r.refuseBusy(w, req, err)
		return
	}
	if limit, over := tooLarge(err); over {
		r.refuseRequest(w, req, fmt.Sprintf(
			"the inflated body is larger than %d bytes: send fewer items at once, or raise max_request_body_size", limit),
			http.StatusRequestEntityTooLarge)
		return
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		r.refuseRequest(w, req, fmt.Sprintf("the body did not come within %v: send it faster, in smaller parts, or raise read_timeout",
			r.config.ServerConfig.ReadTimeout), http.StatusRequestTimeout)
		return
	}
	if err != nil {
		r.answerUndecoded(w, req, "the body could not be read: "+err.Error(), http.StatusBadRequest)
		return
	}

	ctx := r.observed.StartLogsOp(req.Context())
	logs, report, err := of.decode(body.Bytes())
	r.bodies.GiveBack(body)
	if report.Accepted == 0 {
		r.observed.EndLogsOp(ctx, of.format, 0, nil)
		r.telemetry.decoded(ctx, report)
		a := answerTo(report)
		if err != nil {
			a.Error = err.Error()
		}
		r.answer(w, req, a, statusOfNone(report))
		return
	}
	err = r.next.ConsumeLogs(origin.Mark(ctx, of.origin), logs)
	r.observed.EndLogsOp(ctx, of.format, report.Accepted, err)
	if err != nil {
		r.refuseDownstream(w, req, err)
		return
	}
	r.telemetry.decoded(ctx, report)
	r.answer(w, req, answerTo(report), http.StatusOK)
}

// refuseBusy asks the sender to retry. The rest of the body is read and discarded, because many senders ignore an answer while they
// are writing, and treat the closed connection as a network failure.
func (r *eventsReceiver) refuseBusy(w http.ResponseWriter, req *http.Request, why error) {
	_, _ = io.Copy(io.Discard, req.Body)
	r.answerFromNow(http.NewResponseController(w))
	w.Header().Set("Retry-After", "1")
	r.refuseRequest(w, req, why.Error()+" (max_in_flight_bytes): send again", http.StatusServiceUnavailable)
}

// checkHead checks what is known before the body, and returns the headers' information on it.
func (r *eventsReceiver) checkHead(w http.ResponseWriter, req *http.Request) (request wire.Request, ok bool) {
	if !r.checkMethod(w, req) {
		return request, false
	}
	contentType := strings.TrimSpace(req.Header.Get("Content-Type"))
	request.Format, ok = formatOf(contentType)
	if request.Format != wire.FormatCloudEvents && req.Header.Get(wire.HeaderPrefix+"specversion") != "" {
		request.CloudEvent, ok = cloudEventOf(req.Header), true
	}
	if !ok {
		w.Header().Set("Accept-Post", acceptPost)
		r.refuseRequest(w, req, fmt.Sprintf("the content type %q is not supported: send application/json, application/x-ndjson "+
			"or CloudEvents as JSON", contentType), http.StatusUnsupportedMediaType)
		return request, false
	}
	if r.config.CorrelationIDHeader != "" {
		request.CorrelationID, ok = correlationID(req.Header.Get(r.config.CorrelationIDHeader))
		if !ok {
			r.telemetry.leftOut(req.Context())
		}
	}
	return request, true
}

// checkMethod checks what the paths have in common.
func (r *eventsReceiver) checkMethod(w http.ResponseWriter, req *http.Request) bool {
	if req.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		r.refuseRequest(w, req, "the method "+req.Method+" is not allowed: post events", http.StatusMethodNotAllowed)
		return false
	}
	if req.Header.Get(encodingHeader) != "" { // confighttp leaves the header if it inflates nothing
		r.refuseEncoding(w, req)
		return false
	}
	return true
}

// acceptPost lists the media types that are accepted.
const acceptPost = "application/json, application/x-ndjson, application/cloudevents+json, application/cloudevents-batch+json"

// maxCorrelationID is the longest correlation id that a header may have, in bytes.
const maxCorrelationID = 255

// correlationID returns the id in a header. An invalid one is ignored, because a proxy may have set it.
func correlationID(value string) (id string, ok bool) {
	value = strings.TrimSpace(value)
	if len(value) > maxCorrelationID || !utf8.ValidString(value) {
		return "", false
	}
	return value, true
}

// statusOfNone returns the status of a body without accepted items. A body without items, such as [], is valid.
func statusOfNone(report wire.Report) int {
	switch {
	case report.Refused == 0:
		return http.StatusOK
	case report.RefusedBy[wire.ReasonItems] > 0:
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}
