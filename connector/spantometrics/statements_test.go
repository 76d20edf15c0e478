package spantometrics

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStatementsAreBounded(t *testing.T) {
	s := statements{}
	for i := range 2*maxStatements + 10 {
		operation, collection := s.describe(fmt.Sprintf("SELECT * FROM orders WHERE id = %d", i))
		require.Equal(t, "SELECT", operation)
		require.Equal(t, "orders", collection)
	}
	require.Len(t, s, 10)

	operation, _ := s.describe("DELETE FROM carts /*" + strings.Repeat("x", maxStatement) + "*/")
	require.Equal(t, "DELETE", operation)
	require.Len(t, s, 10, "a long statement is not kept")

	operation, collection := s.describe("SELECT * FROM orders WHERE id = 8192")
	require.Equal(t, "SELECT", operation)
	require.Equal(t, "orders", collection)
}
