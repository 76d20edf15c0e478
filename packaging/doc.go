// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package packaging holds no code: its tests install, upgrade and remove the packages that nfpm.yaml describes.
package packaging
