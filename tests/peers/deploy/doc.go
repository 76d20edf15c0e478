// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package deploy holds no code: its tests check the files of the folder deploy, the Kubernetes manifests with Kubernetes' own
// types. As they are outside this module, the test cache does not notice their changes: run it with -count=1.
package deploy
