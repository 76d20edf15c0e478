// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package clienttls creates the TLS configuration of the command line's HTTP clients from flags. It has no state.
//
// The collector's configtls creates the same configuration, but stops at the first mistake, does not name a file without a
// certificate, and fails on systems without certificates. Calling it for each flag takes as much code.
package clienttls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// Files are paths of PEM files; empty for none.
type Files struct {
	// CA contains certificates to trust in addition to the system's.
	CA string
	// Cert and Key are the client certificate and its key, for mutual TLS.
	Cert, Key string
}

// Load reads the files. Its error names the flag of each invalid file.
func (f Files) Load() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	return config, errors.Join(f.trust(config), f.identify(config))
}

func (f Files) trust(config *tls.Config) error {
	if f.CA == "" {
		return nil
	}
	pem, err := os.ReadFile(f.CA)
	if err != nil {
		return fmt.Errorf("--ca-file: %w", err)
	}
	if config.RootCAs, err = x509.SystemCertPool(); err != nil {
		config.RootCAs = x509.NewCertPool()
	}
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return configerr.New("--ca-file", f.CA, "contains no certificate in PEM format", "use one that has")
	}
	return nil
}

func (f Files) identify(config *tls.Config) error {
	if f.Cert == "" && f.Key == "" {
		return nil
	}
	if f.Cert == "" || f.Key == "" {
		return configerr.New("--cert-file", f.Cert, "requires --key-file", "use both, or neither")
	}
	own, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return fmt.Errorf("--cert-file %s, --key-file %s: %w", f.Cert, f.Key, err)
	}
	config.Certificates = []tls.Certificate{own}
	return nil
}
