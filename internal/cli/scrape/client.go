// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/clienttls"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/endpoint"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// Settings of a client. Start from [DefaultSettings].
type Settings struct {
	// Timeout of one request.
	Timeout time.Duration
	// Retries after the first request to a target.
	Retries int
	// Backoff is the wait before the first retry; it doubles up to MaxBackoff.
	Backoff    time.Duration
	MaxBackoff time.Duration
	// MaxBytes is the maximum size of a response.
	MaxBytes int64
	// Header is added to every request.
	Header http.Header
	TLS    clienttls.Files
}

// DefaultSettings returns the defaults of the command line.
func DefaultSettings() Settings {
	return Settings{
		Timeout: 10 * time.Second, Retries: 3, Backoff: 500 * time.Millisecond, MaxBackoff: 10 * time.Second, MaxBytes: 256 << 20,
	}
}

// Validate reports every invalid setting by its flag, with a remedy.
func (s Settings) Validate() error {
	all := []error{
		configerr.AboveZero("--timeout", s.Timeout, "10s"),
		configerr.OrZero("--retries", s.Retries, "for none"),
		configerr.AboveZero("--backoff", s.Backoff, "500ms"),
		configerr.AtLeast("--max-bytes", s.MaxBytes, 1),
	}
	if s.MaxBackoff < s.Backoff {
		all = append(all, configerr.New("--max-backoff", s.MaxBackoff, "is less than --backoff", fmt.Sprintf("use %s or more", s.Backoff)))
	}
	return errors.Join(all...)
}

// Client reads endpoints. It is safe for concurrent use.
type Client struct {
	settings Settings
	tls      *tls.Config
}

// New makes a client.
func New(settings Settings) (*Client, error) {
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	config, err := settings.TLS.Load()
	if err != nil {
		return nil, err
	}
	return &Client{settings: settings, tls: config}, nil
}

// Answer is the response of an endpoint.
type Answer struct {
	Body        []byte
	ContentType string
	Status      int
	// Attempts is the number of requests made.
	Attempts int
}

// Get reads a target. It retries failed connections, timeouts, 429 and 5xx, and accepts 200 and the given statuses.
// Attempts is set even if it returns an error.
func (c *Client) Get(ctx context.Context, target Target, accept string, accepted ...int) (Answer, error) {
	transport := &http.Transport{TLSClientConfig: c.tls, Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}
	if target.Address != "" {
		dialer := net.Dialer{}
		transport.Proxy = nil // the target already determines the address
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, target.Address)
		}
	}
	client := http.Client{Transport: transport}
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = c.settings.Backoff, c.settings.MaxBackoff
	attempts := 0
	var last error
	answer, err := backoff.Retry(ctx, func() (answer Answer, err error) {
		attempts++
		if answer, err = c.once(ctx, &client, target, accept, accepted); err != nil && ctx.Err() == nil {
			last = err
		}
		return answer, err
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(uint(c.settings.Retries)+1), backoff.WithMaxElapsedTime(0))
	answer.Attempts = attempts
	if err != nil {
		var permanent *backoff.PermanentError
		if errors.As(err, &permanent) {
			err = permanent.Err
		}
		if ctx.Err() != nil && last != nil {
			err = fmt.Errorf("%w; before: %w", err, last)
		}
		return answer, fmt.Errorf("%s: %w (attempts: %d)", target, err, attempts)
	}
	return answer, nil
}

func (c *Client) once(ctx context.Context, client *http.Client, target Target, accept string, accepted []int) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.settings.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.URL, nil)
	if err != nil {
		return Answer{}, backoff.Permanent(err)
	}
	request.Header.Set("Accept", accept)
	endpoint.SetHeader(request, c.settings.Header)
	response, err := client.Do(request)
	if err != nil {
		return Answer{}, permanentOrNot(err)
	}
	defer response.Body.Close()                       //nolint:errcheck // nothing is lost
	most := min(c.settings.MaxBytes, math.MaxInt64-1) // one more byte reveals a larger response
	body, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	if err != nil {
		return Answer{}, fmt.Errorf("the response was truncated: %w", err)
	}
	if int64(len(body)) > most {
		return Answer{}, backoff.Permanent(fmt.Errorf("the response has more than %d bytes: raise --max-bytes", c.settings.MaxBytes))
	}
	if err := status(response, accepted); err != nil {
		return Answer{}, err
	}
	return Answer{Body: body, ContentType: response.Header.Get("Content-Type"), Status: response.StatusCode}, nil
}

// permanentOrNot distinguishes permanent errors from temporary ones.
func permanentOrNot(err error) error {
	err = endpoint.Cause(err)
	switch {
	case endpoint.UntrustedCertificate(err):
		return backoff.Permanent(fmt.Errorf("%w: trust its issuer with --ca-file", err))
	case endpoint.PlainHTTP(err):
		return backoff.Permanent(fmt.Errorf("%w: the endpoint speaks plain HTTP", err))
	}
	return err
}

func status(response *http.Response, accepted []int) error {
	code := response.StatusCode
	if code == http.StatusOK || slices.Contains(accepted, code) {
		return nil
	}
	err := fmt.Errorf("answered %s", endpoint.Status(code))
	switch {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return backoff.Permanent(fmt.Errorf(`%w: pass credentials, such as --header "Authorization=Bearer …"`, err))
	case code == http.StatusNotFound:
		return backoff.Permanent(fmt.Errorf("%w: check the path, the collector's is /metrics", err))
	case code == http.StatusTooManyRequests || code >= 500:
		return err
	}
	return backoff.Permanent(err)
}
