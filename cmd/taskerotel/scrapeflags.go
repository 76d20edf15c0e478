// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/pflag"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/clienttls"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/scrape"
)

// scrapeFlags are the flags of commands that read a collector's endpoints.
type scrapeFlags struct {
	settings scrape.Settings
	headers  []string
}

func newScrapeFlags() scrapeFlags { return scrapeFlags{settings: scrape.DefaultSettings()} }

func (f *scrapeFlags) register(flags *pflag.FlagSet) {
	s := &f.settings
	flags.DurationVar(&s.Timeout, "timeout", s.Timeout, "the time limit of one request")
	flags.IntVar(&s.Retries, "retries", s.Retries, "how often a request is sent again")
	flags.DurationVar(&s.Backoff, "backoff", s.Backoff, "the wait before the first retry; it doubles with each")
	flags.DurationVar(&s.MaxBackoff, "max-backoff", s.MaxBackoff, "the longest wait before a retry")
	flags.Int64Var(&s.MaxBytes, "max-bytes", s.MaxBytes, "the largest answer that is read, in bytes")
	flags.StringArrayVar(&f.headers, "header", nil, "a `key=value` to send with every request; may be repeated")
	registerTLS(flags, &s.TLS)
}

// registerTLS registers the flags of all commands that speak with a collector.
func registerTLS(flags *pflag.FlagSet, files *clienttls.Files) {
	flags.StringVar(&files.CA, "ca-file", "", "a PEM `file` of certificates to trust besides the system's")
	flags.StringVar(&files.Cert, "cert-file", "", "a PEM `file` with the certificate to show to a server that asks for one")
	flags.StringVar(&files.Key, "key-file", "", "a PEM `file` with the key of --cert-file")
}

// scrapeSettings returns the settings as the command line gives them.
func (f *scrapeFlags) scrapeSettings() (scrape.Settings, error) {
	var err error
	f.settings.Header, err = parseHeaders(f.headers)
	return f.settings, err
}
