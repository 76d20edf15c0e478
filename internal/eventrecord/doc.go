// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package eventrecord reads and normalizes log records of Tasker events. Only a [Normalizer] has state, which serves one goroutine.
//
// Functions keep no reference to the pdata they receive. Only [Normalizer.Normalize], [SetIdentity] and [MarkImpossible] change it.
package eventrecord
