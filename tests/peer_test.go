// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os/exec"
	"testing"
)

// peer returns the path of an additional program, or skips the test.
func peer(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("needs a peer: %s is not installed (scripts/install-peers.sh)", program)
	}
	return path
}
