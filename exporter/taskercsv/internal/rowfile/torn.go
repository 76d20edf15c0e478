// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package rowfile

import (
	"bytes"
	"errors"
	"io"
)

// wholeRows returns the length of the complete rows of a file. They may be followed by a row that was cut off when a
// process was killed or a machine lost power. Rows contain no zero byte: file systems leave these if they know a file's
// length but not its content. In CSV a line break between quotes does not end a row; JSON has none, and escapes quotes
// differently.
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
			case b == '"' && !json: // an escaped quote is two of them, which has no effect
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
