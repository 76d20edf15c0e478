// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package deploy holds no code: its tests check the files for operators in this folder, which are of many forms.
package deploy
