// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/tasker-otel/otelcol-tasker/internal/printable"
)

// Table collects rows of cells, which may be untrusted, and writes them in aligned columns.
type Table struct{ rows strings.Builder }

// Row adds a row.
func (t *Table) Row(cells ...string) {
	for i, cell := range cells {
		cells[i] = printable.Line(cell)
	}
	t.rows.WriteString(strings.TrimRight(strings.Join(cells, "\t"), "\t") + "\n")
}

// Rowf adds a row of one cell.
func (t *Table) Rowf(format string, args ...any) { t.Row(fmt.Sprintf(format, args...)) }

// Section begins columns with their own widths, after an empty line, which is what ends columns in a tabwriter.
func (t *Table) Section(heads ...string) {
	t.rows.WriteByte('\n')
	t.Row(heads...)
}

// Write writes the table.
func (t *Table) Write(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if _, err := io.WriteString(out, t.rows.String()); err != nil {
		return err
	}
	return out.Flush()
}
