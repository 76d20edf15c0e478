// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/basicauthextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/bearertokenauthextension"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents/internal/metadata"
)

// extensionHost has the extensions that are named in service::extensions.
type extensionHost struct {
	component.Host
	extensions map[component.ID]component.Component
}

func (h extensionHost) GetExtensions() map[component.ID]component.Component { return h.extensions }

// configured merges YAML over a receiver's configuration, as users write it.
func configured(t *testing.T, c *Config, yaml string) {
	t.Helper()
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	require.NoError(t, conf.Unmarshal(c))
}

func startAuthenticated(t *testing.T, factory extension.Factory, settings string) *eventsReceiver {
	t.Helper()
	config := factory.CreateDefaultConfig()
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(settings))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	require.NoError(t, conf.Unmarshal(config))
	made, err := factory.Create(context.Background(), extensiontest.NewNopSettings(factory.Type()), config)
	require.NoError(t, err)
	require.NoError(t, made.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, made.Shutdown(context.Background())) })
	host := extensionHost{componenttest.NewNopHost(), map[component.ID]component.Component{component.NewID(factory.Type()): made}}
	return startWith(t, receivertest.NewNopSettings(metadata.Type), host, consumertest.NewNop(), func(c *Config) {
		configured(t, c, "auth: {authenticator: "+factory.Type().String()+"}")
	})
}

func TestAuthentication(t *testing.T) {
	for name, test := range map[string]struct {
		factory  extension.Factory
		settings string
		right    func(*http.Request)
		wrong    func(*http.Request)
	}{
		"basic": {
			basicauthextension.NewFactory(), "htpasswd: {inline: 'shop:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g='}",
			func(r *http.Request) { r.SetBasicAuth("shop", "password") },
			func(r *http.Request) { r.SetBasicAuth("shop", "guess") },
		},
		"bearer": {
			bearertokenauthextension.NewFactory(), "token: t0ken",
			func(r *http.Request) { r.Header.Set("Authorization", "Bearer t0ken") },
			func(r *http.Request) { r.Header.Set("Authorization", "Bearer t0ke") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := startAuthenticated(t, test.factory, test.settings)
			send := func(authorize func(*http.Request)) *http.Response {
				request, err := http.NewRequest("POST", r.url(defaultPath), strings.NewReader(good))
				require.NoError(t, err)
				authorize(request)
				response, err := http.DefaultClient.Do(request)
				require.NoError(t, err)
				return response
			}
			response := send(test.right)
			assert.Equal(t, http.StatusOK, response.StatusCode)
			assert.Equal(t, 1, decodeAnswer(t, response).Accepted)
			for _, authorize := range []func(*http.Request){test.wrong, func(*http.Request) {}} {
				response := send(authorize)
				assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
				assert.NotEmpty(t, decodeAnswer(t, response).Error)
			}
		})
	}
}

// authority signs certificates and writes them to files.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	file        string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	a.certificate, a.key, a.file, _ = a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	})
	return a
}

// sign makes a certificate. The authority's first one is self-signed.
func (a *authority) sign(t *testing.T, template *x509.Certificate) (certificate *x509.Certificate, key *ecdsa.PrivateKey, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := template, key
	if a.key != nil {
		parent, signer = a.certificate, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	require.NoError(t, err)
	certificate, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	private, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	folder := t.TempDir()
	certFile, keyFile = filepath.Join(folder, "tls.crt"), filepath.Join(folder, "tls.key")
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}), 0o600))
	return certificate, key, certFile, keyFile
}

// client returns an HTTP client that trusts the authority and presents a certificate, if given.
func (a *authority) client(t *testing.T, certFile, keyFile string) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	config := &tls.Config{RootCAs: pool}
	if certFile != "" {
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		require.NoError(t, err)
		config.Certificates = []tls.Certificate{pair}
	}
	transport := &http.Transport{TLSClientConfig: config}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestTLS(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	_, _, serverCert, serverKey := ours.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	sender := func(a *authority) (certFile, keyFile string) {
		_, _, certFile, keyFile = a.sign(t, &x509.Certificate{SerialNumber: big.NewInt(3), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		return certFile, keyFile
	}
	tlsSettings := "tls: {cert_file: " + serverCert + ", key_file: " + serverKey
	post := func(r *eventsReceiver, client *http.Client) (int, error) {
		response, err := client.Post("https"+strings.TrimPrefix(r.url(defaultPath), "http"), "application/json", strings.NewReader(good))
		if err != nil {
			return 0, err
		}
		return response.StatusCode, response.Body.Close()
	}

	t.Run("server only", func(t *testing.T) {
		r := start(t, consumertest.NewNop(), func(c *Config) { configured(t, c, tlsSettings+"}") })
		status, err := post(r, ours.client(t, "", ""))
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, status)

		response, err := http.Post(r.url(defaultPath), "application/json", strings.NewReader(good))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, http.StatusBadRequest, response.StatusCode, "plain HTTP")
		_, err = post(r, theirs.client(t, "", ""))
		require.Error(t, err, "a sender that does not know the authority")
	})
	t.Run("mutual", func(t *testing.T) {
		r := start(t, consumertest.NewNop(), func(c *Config) { configured(t, c, tlsSettings+", client_ca_file: "+ours.file+"}") })
		certFile, keyFile := sender(ours)
		status, err := post(r, ours.client(t, certFile, keyFile))
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, status)

		_, err = post(r, ours.client(t, "", ""))
		require.Error(t, err, "no certificate")
		foreignCert, foreignKey := sender(theirs)
		_, err = post(r, ours.client(t, foreignCert, foreignKey))
		require.Error(t, err, "of another authority")
	})
}

func TestBrowsersOfOtherOriginsAreNotLetInUnlessConfigured(t *testing.T) {
	ask := func(r *eventsReceiver) *http.Response {
		request, err := http.NewRequest("OPTIONS", r.url(defaultPath), nil)
		require.NoError(t, err)
		request.Header.Set("Origin", "https://app.example")
		request.Header.Set("Access-Control-Request-Method", "POST")
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response
	}
	response := ask(start(t, consumertest.NewNop(), nil))
	assert.Equal(t, http.StatusMethodNotAllowed, response.StatusCode)
	assert.Empty(t, response.Header.Get("Access-Control-Allow-Origin"))

	response = ask(start(t, consumertest.NewNop(), func(c *Config) {
		configured(t, c, "cors: {allowed_origins: ['https://app.example']}")
	}))
	assert.Equal(t, "https://app.example", response.Header.Get("Access-Control-Allow-Origin"))
}
