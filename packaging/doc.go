// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package packaging contains only tests, which install, upgrade and remove the packages defined in nfpm.yaml.
package packaging
