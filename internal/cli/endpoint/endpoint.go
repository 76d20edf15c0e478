// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package endpoint is what all HTTP requests of the command line share: their header, their errors, and their addresses without
// secrets for messages, which are logged. It has no state.
package endpoint

import (
	"crypto/tls"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// SetHeader adds the header that is configured, of which Host is the request's host, to that of a request.
func SetHeader(request *http.Request, configured http.Header) {
	request.Header.Set("User-Agent", "taskerotel")
	maps.Copy(request.Header, configured)
	if host := configured.Get("Host"); host != "" {
		request.Host = host
	}
}

// mask replaces secrets.
const mask = "***"

// Public returns an address, which may be malformed, without credentials and without the values of its query.
func Public(address string) string {
	scheme, rest, found := strings.Cut(address, "://")
	if found {
		scheme += "://"
	} else {
		scheme, rest = "", address
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, query, hasQuery := strings.Cut(rest, "?")
	// In a malformed address a slash may be part of the password.
	if parsed, err := url.Parse(address); err != nil || !found || parsed.User != nil {
		if at := strings.LastIndexByte(rest, '@'); at >= 0 {
			rest = mask + rest[at:]
		}
	}
	if hasQuery {
		rest += "?" + publicQuery(query)
	}
	return scheme + rest
}

// publicQuery keeps the names of a query's parameters.
func publicQuery(query string) string {
	parameters := strings.Split(query, "&")
	for i, parameter := range parameters {
		switch name, value, _ := strings.Cut(parameter, "="); {
		case value != "":
			parameters[i] = name + "=" + mask
		case name == parameter && name != "":
			parameters[i] = mask // a token may have no name
		}
	}
	return strings.Join(parameters, "&")
}

// Parse parses an address. Its error does not quote the address.
func Parse(address string) (*url.URL, error) {
	parsed, err := url.Parse(address)
	if err == nil {
		return parsed, nil
	}
	if strings.Contains(address, "@") || strings.Contains(address, "?") {
		return nil, errors.New("it is malformed; escape special characters in credentials and in a query as %XX")
	}
	return nil, Cause(err)
}

// IsHTTP reports whether an address is a complete HTTP URL.
func IsHTTP(address *url.URL) bool {
	return (address.Scheme == "http" || address.Scheme == "https") && address.Host != ""
}

// ParseHTTP parses an HTTP URL given with a flag.
func ParseHTTP(flag, address, example string) (*url.URL, error) {
	parsed, err := Parse(address)
	if err != nil || !IsHTTP(parsed) {
		return nil, configerr.New(flag, Public(address), "is not an HTTP address", "use one such as "+example)
	}
	return parsed, nil
}

// UntrustedCertificate reports whether a request failed because of the server's certificate.
func UntrustedCertificate(err error) bool {
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &certificate)
}

// PlainHTTP reports whether a request with TLS failed because the server speaks plain HTTP.
func PlainHTTP(err error) bool {
	var record tls.RecordHeaderError
	return errors.As(err, &record) || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}

// Status returns a status code with its standard text: that of the server is not trusted.
func Status(code int) string {
	return strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
}

// Cause returns an error of net/url or net/http without the address in its text.
func Cause(err error) error {
	var withAddress *url.Error
	if errors.As(err, &withAddress) {
		return withAddress.Err
	}
	return err
}
