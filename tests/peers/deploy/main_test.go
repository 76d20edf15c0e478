// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"os"
	"testing"
)

// TestMain runs the tests in the folder whose files they check.
func TestMain(m *testing.M) {
	if err := os.Chdir("../../../deploy"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
