// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package rowfile

import "bufio"

// objectWriter writes each row as a JSON object on a line of its own. It omits empty cells.
type objectWriter struct {
	names []string
	out   *bufio.Writer
	line  []byte // buffer of the previous row, for reuse
}

// Write implements [RowWriter].
func (w *objectWriter) Write(row []string) error {
	line := append(w.line[:0], '{')
	for i, cell := range row {
		if cell == "" {
			continue
		}
		if len(line) > 1 {
			line = append(line, ',')
		}
		line = append(line, w.names[i]...)
		line = append(line, ':')
		line = append(line, cell...)
	}
	w.line = append(line, '}', '\n')
	_, err := w.out.Write(w.line)
	return err
}
