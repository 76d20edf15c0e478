// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package deploy contains only tests, which check the files of the folder deploy, the Kubernetes manifests with Kubernetes'
// types. Since these are outside this module, the test cache ignores their changes: use -count=1.
package deploy
