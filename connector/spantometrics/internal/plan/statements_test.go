// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStatementsAreBounded(t *testing.T) {
	s := statements{}
	for i := range 2*maxStatements + 10 {
		require.Equal(t, statement{"SELECT", "orders", false}, s.describe(fmt.Sprintf("SELECT * FROM orders WHERE id = %d", i)))
	}
	require.Len(t, s, 10)

	require.Equal(t, statement{"DELETE", "carts", false}, s.describe("DELETE FROM carts /*"+strings.Repeat("x", maxStatement)+"*/"))
	require.Len(t, s, 10, "a long statement is not kept")

	require.Equal(t, statement{"SELECT", "orders", false}, s.describe("SELECT * FROM orders WHERE id = 8192"))
	for range 2 {
		require.Equal(t, statement{"SELECT", "pg_class", true}, s.describe("SELECT * FROM pg_class"))
	}
}
