// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"errors"
	"net/http"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// defaultWait is the retry delay when the pipeline gives none.
const defaultWait = 5 * time.Second

// statusOf returns how an error of the pipeline is reported to the sender: a status, and how long to wait before sending again. No
// wait means that a retry is useless. An error without a classification counts as temporary, as in the collector's own receivers.
func statusOf(err error) (code int, wait time.Duration) {
	var typed *consumererror.Error
	if errors.As(err, &typed) {
		if !typed.IsRetryable() {
			return permanent(consumererror.ToHTTPStatus(typed) == http.StatusBadRequest), 0
		}
		return retryable(consumererror.ToHTTPStatus(typed) == http.StatusTooManyRequests), waitOf(consumererror.ToGRPCStatus(typed))
	}
	if s, ok := status.FromError(err); ok {
		switch s.Code() {
		case codes.ResourceExhausted:
			return retryable(true), waitOf(s)
		case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss:
			return retryable(false), waitOf(s)
		}
		return permanent(s.Code() == codes.InvalidArgument), 0
	}
	if consumererror.IsPermanent(err) {
		return permanent(false), 0
	}
	return retryable(false), defaultWait
}

// retryable returns the status of a temporary error.
func retryable(tooMany bool) int {
	if tooMany {
		return http.StatusTooManyRequests
	}
	return http.StatusServiceUnavailable
}

// permanent returns the status of a permanent error. Other codes of a backend after the pipeline, such as 401, do not concern this
// sender.
func permanent(badRequest bool) int {
	if badRequest {
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

// waitOf returns the retry delay of a gRPC status, else the default.
func waitOf(s *status.Status) time.Duration {
	for _, detail := range s.Details() {
		if retry, ok := detail.(*errdetails.RetryInfo); ok && retry.GetRetryDelay().AsDuration() > 0 {
			return retry.GetRetryDelay().AsDuration()
		}
	}
	return defaultWait
}
