// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package clienttls

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// identity writes a self-signed certificate and its key.
func identity(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	cert, key = filepath.Join(t.TempDir(), "tls.crt"), filepath.Join(t.TempDir(), "tls.key")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	return cert, key
}

// TestMutualTLS checks that a server with a private CA accepts only clients with its certificate.
func TestMutualTLS(t *testing.T) {
	cert, key := identity(t)
	known := x509.NewCertPool()
	text, err := os.ReadFile(cert)
	require.NoError(t, err)
	require.True(t, known.AppendCertsFromPEM(text))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: known}
	server.StartTLS()
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))

	get := func(files Files) error {
		config, err := files.Load()
		require.NoError(t, err)
		transport := &http.Transport{TLSClientConfig: config}
		defer transport.CloseIdleConnections()
		response, err := (&http.Client{Transport: transport}).Get(server.URL)
		if err != nil {
			return err
		}
		return response.Body.Close()
	}
	require.NoError(t, get(Files{CA: ca, Cert: cert, Key: key}))
	require.ErrorContains(t, get(Files{Cert: cert, Key: key}), "unknown authority")
	require.ErrorContains(t, get(Files{CA: ca}), "certificate required")
	otherCert, otherKey := identity(t)
	require.Error(t, get(Files{CA: ca, Cert: otherCert, Key: otherKey}))
}

func TestMistakes(t *testing.T) {
	cert, key := identity(t)
	_, err := Files{CA: key, Cert: cert}.Load()
	require.ErrorContains(t, err, "--ca-file: \""+key+"\" contains no certificate in PEM format")
	assert.ErrorContains(t, err, "requires --key-file; use both, or neither")
	_, err = Files{CA: "no-such-file", Cert: cert, Key: cert}.Load()
	require.ErrorContains(t, err, "--ca-file: open no-such-file")
	assert.ErrorContains(t, err, "--cert-file "+cert+", --key-file "+cert)
}
