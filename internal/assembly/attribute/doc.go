// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package attribute has the attributes of events and spans: keys with values of the types that a span tree needs, in plain Go, and
// their stored form.
//
// A value is not changed after it has been made, and may then be read concurrently.
package attribute
