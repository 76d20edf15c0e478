// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package send

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/endpoint"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/eventfile"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

// maxAnswerBytes bounds the response that is read. A receiver lists at most wire.MaxRefusals.
const maxAnswerBytes = 4 << 20

// answer is a receiver's response to a batch.
type answer struct {
	Accepted *int           `json:"accepted"`
	Refused  []wire.Refusal `json:"refused"`
	// Error is why the batch was not processed.
	Error string `json:"error"`
}

// outcome is the result of a request.
type outcome struct {
	// settled means that every item is either accepted or refused, according to the answer.
	settled bool
	answer  answer
	// problem and remedy describe an unsettled request.
	problem, remedy string
	// retryable means that the request may succeed later, after retryAfter if that is not zero.
	retryable  bool
	retryAfter time.Duration
	// tooLarge means that smaller batches may succeed.
	tooLarge bool
	// hopeless means that every other request would fail too.
	hopeless bool
}

// post makes one request. It is not canceled with the context, only by its timeout, because otherwise it would be unknown
// what the receiver has accepted.
func (s *Sender) post(ctx context.Context, batch *eventfile.Batch) outcome {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.settings.Timeout)
	defer cancel()
	request, err := s.request(ctx, batch)
	if err != nil {
		return outcome{problem: err.Error(), hopeless: true}
	}
	response, err := s.settings.Client.Do(request)
	if err != nil {
		return failed(err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is lost
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil && !wantsTLS(response.StatusCode, body) { // that response is often truncated
		return failed(fmt.Errorf("the response was truncated: %w", err))
	}
	return s.outcomeOf(batch, response, body)
}

// wantsTLS reports whether the response is that of a Go server to a request without TLS.
func wantsTLS(status int, body []byte) bool {
	return status == http.StatusBadRequest && bytes.Contains(body, []byte("HTTP request to an HTTPS server"))
}

func (s *Sender) request(ctx context.Context, batch *eventfile.Batch) (*http.Request, error) {
	body := batch.Body
	if s.settings.Compression == CompressionGzip {
		var packed bytes.Buffer
		writer := gzip.NewWriter(&packed)
		if _, err := writer.Write(body); err != nil {
			return nil, fmt.Errorf("cannot compress: %w", err)
		}
		if err := writer.Close(); err != nil {
			return nil, fmt.Errorf("cannot compress: %w", err)
		}
		body = packed.Bytes()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.settings.Endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("cannot make a request: %w", endpoint.Cause(err))
	}
	request.Header.Set("Content-Type", "application/x-ndjson")
	endpoint.SetHeader(request, s.settings.Header)
	if s.settings.Compression == CompressionGzip {
		request.Header.Set("Content-Encoding", "gzip")
	}
	return request, nil
}

// failed classifies a request without a response. Refused connections, timeouts and resets are temporary; an untrusted
// certificate is permanent.
func failed(err error) outcome {
	err = endpoint.Cause(err)
	switch {
	case endpoint.UntrustedCertificate(err):
		return outcome{problem: err.Error(), hopeless: true, remedy: "trust its issuer with --ca-file, or check the certificate of the endpoint"}
	case endpoint.PlainHTTP(err):
		return outcome{problem: err.Error(), hopeless: true, remedy: "the endpoint speaks plain HTTP: use --endpoint http://…"}
	}
	return outcome{problem: err.Error(), retryable: true, remedy: "check that the collector is running, and --endpoint"}
}

// outcomeOf classifies a response by its status, then by its body. As in OTLP, 500 is permanent and the statuses of gateways
// are not.
func (s *Sender) outcomeOf(batch *eventfile.Batch, response *http.Response, body []byte) outcome {
	status := response.StatusCode
	problem := "the receiver answered " + endpoint.Status(status) + excerpt(body)
	switch {
	case status >= 200 && status < 300:
		return accepted(batch, response, body)
	case status >= 300 && status < 400:
		return outcome{problem: problem, hopeless: true,
			remedy: fmt.Sprintf("the endpoint is at --endpoint %q", endpoint.Public(response.Header.Get("Location")))}
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		return outcome{problem: problem, retryable: true, retryAfter: s.retryAfter(response.Header),
			remedy: "the collector is overloaded: retry later, with a lower --concurrency"}
	case status == http.StatusRequestTimeout || status == http.StatusBadGateway || status == http.StatusGatewayTimeout:
		return outcome{problem: problem, retryable: true, remedy: "see the collector's log"}
	case status == http.StatusRequestEntityTooLarge:
		return outcome{problem: problem, tooLarge: true}
	case wantsTLS(status, body):
		return outcome{problem: problem, hopeless: true, remedy: "the endpoint speaks TLS: use --endpoint https://…"}
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return outcome{problem: problem, hopeless: true,
			remedy: `pass credentials, such as --header "Authorization=Bearer …"`}
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		return outcome{problem: problem, hopeless: true,
			remedy: "check the path of --endpoint: a receiver's default is /v1/events"}
	}
	var said answer
	if json.Unmarshal(body, &said) == nil && len(said.Refused) > 0 {
		if said.Refused[0].Code == wire.ReasonItems {
			return outcome{problem: problem, tooLarge: true}
		}
		if said.Accepted == nil {
			said.Accepted = new(int)
		}
		return outcome{settled: true, answer: said}
	}
	return outcome{problem: problem}
}

// accepted parses a successful response. An empty body is a gateway's that accepted everything; other bodies must be a
// receiver's.
func accepted(batch *eventfile.Batch, response *http.Response, body []byte) outcome {
	all := batch.Len()
	if len(bytes.TrimSpace(body)) == 0 {
		return outcome{settled: true, answer: answer{Accepted: &all}}
	}
	var said answer
	if err := json.Unmarshal(body, &said); err != nil || said.Accepted == nil {
		return outcome{
			problem: fmt.Sprintf("the answer %s (%s) is not that of a tasker_events receiver%s", endpoint.Status(response.StatusCode),
				response.Header.Get("Content-Type"), excerpt(body)),
			hopeless: true, remedy: "check --endpoint"}
	}
	return outcome{settled: true, answer: said}
}

// retryAfter returns the wait requested by Retry-After, in seconds or as a date, limited by MaxRetryAfter; zero if there is
// none.
func (s *Sender) retryAfter(header http.Header) time.Duration {
	text := header.Get("Retry-After")
	most := s.settings.MaxRetryAfter
	seconds, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err == nil:
		return time.Duration(max(0, min(seconds, int64(math.Ceil(most.Seconds()))))) * time.Second
	case errors.Is(err, strconv.ErrRange) && seconds > 0:
		return most
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, min(at.Sub(s.settings.Now()), most))
	}
	return 0
}

// excerpt returns the beginning of a response on one line, to append to a sentence.
func excerpt(body []byte) string {
	const most = 200
	var said answer
	if json.Unmarshal(body, &said) == nil && said.Error != "" {
		body = []byte(said.Error)
	}
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body[:min(len(body), most)]), "")), " ")
	if text == "" {
		return ""
	}
	if len(body) > most {
		text += "…"
	}
	return ": " + text
}
