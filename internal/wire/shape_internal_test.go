// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The shape of an event whose payload changes permanently is replaced.
func TestShapesAreReplaced(t *testing.T) {
	d := NewDecoder(Settings{}).idle.Get().(*decoding)
	for _, payload := range []string{`{"a": 1}`, `{"b": 1}`} {
		for range shapePatience + 1 {
			d.begin(Request{Body: []byte(`{"event": "e", "payload": ` + payload + `}`)})
			d.body()
			d.finish()
		}
	}
	learned := d.shapes.of("e", 1, true).members
	require.Len(t, learned, 1)
	require.Equal(t, "tasker.b", learned[0].key)
}
