// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package clienttls makes the TLS configuration of the command line's HTTP clients from its flags. It has no state.
//
// The collector's configtls makes the same configuration, but stops at the first mistake, does not name a file without a
// certificate, and fails where the system has no certificates; called for each flag, it takes as much code.
package clienttls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// Files are PEM files; empty for none.
type Files struct {
	// CA has certificates to trust besides the system's.
	CA string
	// Cert and Key are the client's own certificate and its key, for servers that ask for one.
	Cert, Key string
}

// Load reads the files. Its error names each one that is wrong, as the flag of the command line.
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
		return configerr.New("--ca-file", f.CA, "has no certificate in PEM form", "use one that has")
	}
	return nil
}

func (f Files) identify(config *tls.Config) error {
	if f.Cert == "" && f.Key == "" {
		return nil
	}
	if f.Cert == "" || f.Key == "" {
		return configerr.New("--cert-file", f.Cert, "goes with --key-file", "use both, or neither")
	}
	own, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return fmt.Errorf("--cert-file %s, --key-file %s: %w", f.Cert, f.Key, err)
	}
	config.Certificates = []tls.Certificate{own}
	return nil
}
