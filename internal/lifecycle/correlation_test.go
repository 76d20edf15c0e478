// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"crypto/sha256"
	"encoding/binary"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The test vector of docs/identity.md.
func TestCorrelationVector(t *testing.T) {
	require.Equal(t, "tsk_mpv5pc10_DqsQT0", CorrelationSuffixOf(TraceID("", "shop", "1")).At(1780315200036885123))
}

func TestCorrelationIDIsWhatItsCommentSays(t *testing.T) {
	form := regexp.MustCompile(`^tsk_[0-9a-z]+_[0-9A-Za-z]{6}$`)
	rapid.Check(t, func(t *rapid.T) {
		trace := TraceID("", "shop", rapid.String().Draw(t, "task"))
		begin := rapid.Int64().Draw(t, "begin")
		id := CorrelationSuffixOf(trace).At(begin)
		require.Regexp(t, form, id)

		parts := strings.Split(id, "_")
		ms, err := strconv.ParseInt(parts[1], 36, 64)
		require.NoError(t, err)
		require.Equal(t, max(begin, 0)/1e6, ms)

		sum := sha256.Sum256(append([]byte("tasker/1\x00correlation\x00"), trace[:]...))
		number := binary.BigEndian.Uint64(sum[:8])
		for i := range 6 {
			digit := strings.IndexByte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", parts[2][i])
			require.EqualValues(t, number%62, digit)
			number /= 62
		}
	})
}
