// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package treedata

import "strconv"

// keptDecimals is a power of two.
const keptDecimals = 1024

// decimals caches the decimal form of recent integers: the IDs of a task and of its steps repeat. The zero value is ready.
type decimals [keptDecimals]struct {
	n    int64
	text string
}

func (d *decimals) of(n int64) string {
	place := &d[uint64(n)%keptDecimals]
	if place.text == "" || place.n != n {
		place.n, place.text = n, strconv.FormatInt(n, 10)
	}
	return place.text
}
