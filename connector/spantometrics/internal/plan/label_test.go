// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLooksLikeID(t *testing.T) {
	for value, want := range map[string]bool{
		"0198c5a1-6f2e-7c3a-9d4b-1f2e3d4c5b6a": true, "0198C5A16F2E7C3A9D4B1F2E3D4C5B6A": true, "tsk_mpv5pc29_Qc4wHQ": true,
		"0198c5a1-6f2e-7c3a-9d4b-1f2e3d4c5b6x": false, "0198c5a1_6f2e_7c3a_9d4b_1f2e3d4c5b6a": false,
		"process_order": false, "": false, "tsk_short": false, "recalculate_all_of_the_customers": false, "tsk_import_customer": false,
	} {
		require.Equal(t, want, looksLikeID(value), value)
	}
}
