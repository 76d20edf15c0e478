// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package endpoint shows the addresses of endpoints in messages without the secrets that they may hold. Messages go to logs.
//
// It has no state.
package endpoint

import (
	"errors"
	"net/url"
	"strings"
)

// mask stands for what is not shown.
const mask = "***"

// Public returns the text of an address, which may be malformed, without the credentials before its host and without the values
// of its query.
func Public(address string) string {
	scheme, rest, found := strings.Cut(address, "://")
	if found {
		scheme += "://"
	} else {
		scheme, rest = "", address
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, query, hasQuery := strings.Cut(rest, "?")
	// In an address that cannot be read a slash may belong to the password.
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
			parameters[i] = mask // a token may stand alone
		}
	}
	return strings.Join(parameters, "&")
}

// Parse reads an address. Its error quotes no part of the address.
func Parse(address string) (*url.URL, error) {
	parsed, err := url.Parse(address)
	if err == nil {
		return parsed, nil
	}
	if strings.Contains(address, "@") || strings.Contains(address, "?") {
		return nil, errors.New("it is malformed; special characters in credentials and in a query are written as %XX")
	}
	return nil, Cause(err)
}

// Cause returns an error of net/url or net/http without the address that these put before the cause.
func Cause(err error) error {
	var withAddress *url.Error
	if errors.As(err, &withAddress) {
		return withAddress.Err
	}
	return err
}
