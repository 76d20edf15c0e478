// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"fmt"
	"mime"
	"net/http"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/tasker-otel/otelcol-tasker/internal/origin"
)

// otlpContentType is the content type of OTLP in protobuf, of requests and of responses.
const otlpContentType = "application/x-protobuf"

// serveLogs answers one request of OTLP logs. A step that fails has already answered.
func (r *eventsReceiver) serveLogs(w http.ResponseWriter, req *http.Request) {
	if !r.checkMethod(w, req) {
		return
	}
	contentType := req.Header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(contentType); err != nil || media != otlpContentType {
		w.Header().Set("Accept-Post", otlpContentType)
		r.refuseRequest(w, req, fmt.Sprintf("the content type %q is not supported: send OTLP in protobuf (%s); the otlp receiver takes it in JSON, too",
			contentType, otlpContentType), http.StatusUnsupportedMediaType)
		return
	}
	r.receive(w, req, content{"otlp", origin.LogDecoder, r.decoder.DecodeOTLP})
}

// writeOTLP writes an ExportLogsServiceResponse, or a Status for an error.
func (a answer) writeOTLP(w http.ResponseWriter, status int) {
	var body []byte
	var err error
	if status == http.StatusOK {
		response := plogotlp.NewExportResponse()
		if a.RefusedCount > 0 {
			response.PartialSuccess().SetRejectedLogRecords(int64(a.RefusedCount))
			response.PartialSuccess().SetErrorMessage(a.refusals())
		}
		body, err = response.MarshalProto()
	} else {
		message := a.Error
		if message == "" {
			message = a.refusals()
		}
		body, err = proto.Marshal(&spb.Status{Code: int32(codeOf(status)), Message: strings.ToValidUTF8(message, "\uFFFD")})
	}
	if err != nil { // which no valid UTF-8 causes
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", otlpContentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// The sender may have disconnected.
	_, _ = w.Write(body)
}

// refusals describes the first refused log records.
func (a answer) refusals() string {
	const most = 3
	var text strings.Builder
	for i, refusal := range a.Refused {
		if i == most {
			break
		}
		fmt.Fprintf(&text, "log record %d: %s: %s; ", refusal.Index, refusal.Reason, refusal.Remedy)
	}
	if more := a.RefusedCount - most; more > 0 {
		fmt.Fprintf(&text, "and %d more", more)
	}
	return strings.TrimSuffix(text.String(), "; ")
}

// codeOf returns the gRPC code that a status of HTTP stands for.
func codeOf(status int) codes.Code {
	switch status {
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusRequestEntityTooLarge, http.StatusTooManyRequests:
		return codes.ResourceExhausted
	case http.StatusRequestTimeout:
		return codes.DeadlineExceeded
	case http.StatusServiceUnavailable:
		return codes.Unavailable
	case http.StatusInternalServerError:
		return codes.Internal
	case http.StatusMethodNotAllowed:
		return codes.Unimplemented
	}
	return codes.InvalidArgument
}
