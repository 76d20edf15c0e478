// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The slowest body is evicted, and never one that is fast enough.
func TestTheSlowestGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := New(1000 << 10)
		interrupted := ""
		bodies := map[string]*Body{}
		for _, name := range []string{"slow", "slower", "fast"} {
			bodies[name] = a.Admit(endless{}, 500<<10, func() { interrupted += name + " " })
		}
		read := func(name string, n int) error {
			_, err := bodies[name].Read(make([]byte, n))
			return err
		}
		require.NoError(t, read("slow", 500<<10))
		require.NoError(t, read("slower", 400<<10))
		require.NoError(t, read("fast", 90<<10))
		require.Nil(t, a.Admit(endless{}, 100<<10, nil), "nobody has been slow for long enough")
		for range 3 {
			time.Sleep(paceWindow)
			require.NoError(t, read("slow", 100))
			require.NoError(t, read("slower", 50))
			require.NoError(t, read("fast", 2<<10))
			require.NoError(t, read("fast", 0))
		}
		time.Sleep(paceWindow / 2)
		other := a.Admit(endless{}, 100<<10, nil)
		require.NotNil(t, other)
		require.Equal(t, "slower ", interrupted)
		require.ErrorIs(t, read("slower", 1), ErrSlow)
		require.NoError(t, read("slow", 1))
		bodies["slower"].Done()
		bodies["slow"].Done()
		bodies["fast"].Done()
		other.Done()
		require.Zero(t, a.InFlight())
		require.Zero(t, a.Reading())
	})
}

// endless is a body without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// After bodies were read and evicted in any order and at any rate nothing remains in flight, only a body that is alone may
// exceed the limit, and such a body can be read.
func TestAdmission(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := New(rapid.Int64Range(1, 50).Draw(t, "limit"))
		var open []*Body
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			pause := time.Duration(rapid.IntRange(0, 3).Draw(t, "pause")) * paceWindow / 2
			for _, share := range open {
				share.windowStart = share.windowStart.Add(-pause)
			}
			switch {
			case len(open) == 0 || rapid.Bool().Draw(t, "another"):
				size := rapid.IntRange(0, 100).Draw(t, "size")
				announced := rapid.SampledFrom([]int{-1, size / 2, size}).Draw(t, "announced")
				if share := a.Admit(strings.NewReader(strings.Repeat("x", size)), int64(announced), func() {}); share != nil {
					open = append(open, share)
				} else if len(open) == 0 {
					t.Fatal("refused, but nothing is at work")
				}
			default:
				i := rapid.IntRange(0, len(open)-1).Draw(t, "which")
				share := open[i]
				_, err := share.Read(make([]byte, rapid.IntRange(1, 30).Draw(t, "bytes")))
				if errors.Is(err, ErrBusy) && len(open) == 1 {
					t.Fatalf("%v, but it is alone", err)
				}
				if err != nil && rapid.Bool().Draw(t, "done") {
					share.Done()
					open = append(open[:i], open[i+1:]...)
				}
			}
			sum, most := int64(0), int64(0)
			for _, share := range open {
				sum += share.own
				most = max(most, share.own)
			}
			if a.bytes != sum || sum > a.limit && sum > most+a.limit {
				t.Fatalf("%d at work, %d counted, limit %d", sum, a.bytes, a.limit)
			}
		}
		for _, share := range open {
			share.Done()
		}
		if a.bytes != 0 || len(a.reading) != 0 {
			t.Fatalf("%d bytes and %d bodies are left", a.bytes, len(a.reading))
		}
	})
}

func TestClaim(t *testing.T) {
	a := New(10)
	one := a.Admit(strings.NewReader("12345"), 5, func() {})
	_, err := one.Read(make([]byte, 5))
	require.NoError(t, err)
	require.True(t, one.Claim(100), "it is alone")
	require.Nil(t, a.Admit(strings.NewReader(""), 0, func() {}))
	one.Done()
	one.Done()
	one, other := a.Admit(strings.NewReader(""), 0, func() {}), a.Admit(strings.NewReader(""), 0, func() {})
	require.True(t, one.Claim(6))
	require.False(t, other.Claim(5))
	require.True(t, other.Claim(4))
	require.EqualValues(t, 10, a.InFlight())
	one.Done()
	other.Done()
	require.Zero(t, a.InFlight())
}
