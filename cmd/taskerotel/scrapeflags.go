// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/pflag"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/clienttls"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/live"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/scrape"
)

// scrapeFlags are the flags of commands that query a collector's endpoints.
type scrapeFlags struct {
	settings scrape.Settings
	headers  []string
}

func newScrapeFlags() scrapeFlags { return scrapeFlags{settings: scrape.DefaultSettings()} }

func (f *scrapeFlags) register(flags *pflag.FlagSet) {
	s := &f.settings
	flags.DurationVar(&s.Timeout, "timeout", s.Timeout, "the time limit of one request")
	flags.IntVar(&s.Retries, "retries", s.Retries, "how often a request is retried")
	flags.DurationVar(&s.Backoff, "backoff", s.Backoff, "the wait before the first retry; it doubles with each")
	flags.DurationVar(&s.MaxBackoff, "max-backoff", s.MaxBackoff, "the longest wait before a retry")
	flags.Int64Var(&s.MaxBytes, "max-bytes", s.MaxBytes, "the maximum size of a response in bytes")
	flags.StringArrayVar(&f.headers, "header", nil, "a `key=value` to send with every request; may be repeated")
	registerTLS(flags, &s.TLS)
}

// registerTLS registers the TLS flags of all commands that connect to a collector.
func registerTLS(flags *pflag.FlagSet, files *clienttls.Files) {
	flags.StringVar(&files.CA, "ca-file", "", "a PEM `file` of certificates to trust in addition to the system's")
	flags.StringVar(&files.Cert, "cert-file", "", "a PEM `file` with the client certificate")
	flags.StringVar(&files.Key, "key-file", "", "a PEM `file` with the key of --cert-file")
}

// scrapeSettings returns the settings of the flags.
func (f *scrapeFlags) scrapeSettings() (scrape.Settings, error) {
	var err error
	f.settings.Header, err = parseHeaders(f.headers)
	return f.settings, err
}

// live returns a client of the live pages at an address. An error is one of the command line.
func (f *scrapeFlags) live(address string) (*live.Client, error) {
	settings, err := f.scrapeSettings()
	if err != nil {
		return nil, usageError{err}
	}
	client, err := live.New(address, settings)
	if err != nil {
		return nil, usageError{err}
	}
	return client, nil
}
