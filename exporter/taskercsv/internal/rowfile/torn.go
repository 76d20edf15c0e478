// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package rowfile

import (
	"bytes"
	"errors"
	"io"
)

// wholeRows returns how many bytes of a file are whole rows; what is behind them is a row that was cut off when a process
// was killed or a machine lost its power. A zero byte is in no row that this package's users write: it is what a file
// system leaves where it knows of a file's length but not of its content.
// In CSV a line break between quotes ends no row; in JSON there is none, and a quote inside a text is escaped otherwise.
func wholeRows(r io.Reader, json bool) (whole int64, err error) {
	buffer := make([]byte, 256<<10)
	offset, quoted := int64(0), false
	for {
		n, err := r.Read(buffer)
		chunk := buffer[:n]
		zero := bytes.IndexByte(chunk, 0)
		if zero >= 0 {
			chunk = chunk[:zero]
		}
		for i, b := range chunk {
			switch {
			case b == '"' && !json: // an escaped quote is two of them, which change nothing
				quoted = !quoted
			case b == '\n' && !quoted:
				whole = offset + int64(i) + 1
			}
		}
		offset += int64(len(chunk))
		if zero >= 0 || errors.Is(err, io.EOF) {
			return whole, nil
		}
		if err != nil {
			return 0, err
		}
	}
}
