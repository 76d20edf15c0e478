// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/csvtable/csvtext"
)

// awkwardNames are texts that are difficult for CSV readers.
var awkwardNames = []string{"charge, \"card\"\nnow", "Größe 漢字 😀", "-5", "=1+1", "@SUM(1);2", "+49 30", "a\tb ", "'quoted'", "\r\n"}

// awkwardFiles writes files of the three signals: a span and a record for each of the names, and metrics of all types.
func awkwardFiles(t *testing.T, change func(*Config)) (files []string, delimiter rune) {
	t.Helper()
	b, m := startBoth(t, change), start(t, change)
	for i, name := range awkwardNames {
		td, ld := failedStep(), failedEvent()
		span := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
		span.SetTraceID(pcommon.TraceID{0xab, byte(i)})
		span.SetSpanID(pcommon.SpanID{0xcd, byte(i)})
		span.SetParentSpanID(pcommon.SpanID{0xef, byte(i)})
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(at(1).AsTime().Add(time.Duration(i) * 250 * time.Millisecond)))
		span.Attributes().PutStr("tasker.step_name", name)
		record := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		record.SetTraceID(pcommon.TraceID{0xab, byte(i)})
		record.Body().SetStr(name)
		record.Attributes().PutStr("more", name)
		require.NoError(t, b.traces.ConsumeTraces(t.Context(), td))
		require.NoError(t, b.logs.ConsumeLogs(t.Context(), ld))
	}
	require.NoError(t, m.ConsumeMetrics(t.Context(), everyType()))
	return []string{b.cfg.path(signalTraces), b.cfg.path(signalLogs), m.path}, b.cfg.delimiter()
}

// peerTable is a file as read by another program: a cell is a text, a number, or nil if empty.
type peerTable struct {
	Columns []string `json:"columns"`
	Types   []string `json:"types"`
	Rows    [][]any  `json:"rows"`
}

func (p *peerTable) typeOf(column string) string {
	for i, name := range p.Columns {
		if name == column {
			return p.Types[i]
		}
	}
	return ""
}

// sameCells compares cell by cell: numbers by value, times in microseconds, and texts with LF for CR LF, as Go's reader
// returns them.
func sameCells(t *testing.T, rows [][]string, got peerTable) {
	t.Helper()
	require.Equal(t, rows[0], got.Columns)
	require.Len(t, got.Rows, len(rows)-1)
	for i, row := range rows[1:] {
		require.Len(t, got.Rows[i], len(row))
		for j, want := range row {
			where := fmt.Sprintf("row %d, %s", i, rows[0][j])
			switch cell := got.Rows[i][j].(type) {
			case nil:
				assert.Empty(t, want, where)
			case float64:
				assert.Equal(t, numberOf(want), cell, where)
			case string:
				assert.Equal(t, want, strings.ReplaceAll(cell, "\r\n", "\n"), where)
			default:
				assert.Fail(t, "neither a text nor a number", "%s: %T", where, cell)
			}
		}
	}
}

// numberOf returns the number in a cell, or the microseconds of a time.
func numberOf(text string) any {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05"} {
		if at, err := time.Parse(layout, text); err == nil {
			return float64(at.UnixMicro())
		}
	}
	if number, err := strconv.ParseFloat(text, 64); err == nil {
		return number
	}
	return text
}

// wanted skips a test unless peers are enabled, because they take seconds each.
func wanted(t *testing.T) {
	t.Helper()
	if os.Getenv("TASKER_PEERS") == "" {
		t.Skip("needs a peer: set TASKER_PEERS=1, or run make test-peers")
	}
}

func program(t *testing.T, name, remedy string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("needs a peer: %s is not installed (%s)", name, remedy)
	}
	return path
}

const installPeers = "scripts/install-peers.sh"

// outputOf runs a command and returns its standard output.
func outputOf(t *testing.T, command *exec.Cmd) []byte {
	t.Helper()
	var problems bytes.Buffer
	command.Stderr = &problems
	out, err := command.Output()
	require.NoError(t, err, "%s: %s", command, problems.String())
	return out
}

// readTables lets a program read the files of the three signals, and compares its output with what was written.
func readTables(t *testing.T, change func(*Config), command ...string) (traces, logs, metrics peerTable) {
	t.Helper()
	files, delimiter := awkwardFiles(t, change)
	out := json.NewDecoder(bytes.NewReader(outputOf(t, exec.Command(command[0], append(command[1:], files...)...))))
	tables := [3]peerTable{}
	for i, file := range files {
		require.NoError(t, out.Decode(&tables[i]))
		sameCells(t, readDelimited(t, file, delimiter), tables[i])
	}
	return tables[0], tables[1], tables[2]
}

// pythonReads reads files with Python's csv module in strict mode.
const pythonReads = `
import csv, json, sys
for path in sys.argv[1:]:
    with open(path, newline="", encoding="utf-8") as f:
        dialect = csv.Sniffer().sniff(f.readline()); f.seek(0)
        rows = list(csv.reader(f, delimiter=dialect.delimiter, strict=True))
    print(json.dumps({"columns": rows[0], "rows": rows[1:]}))
`

func TestPeerPython(t *testing.T) {
	readTables(t, nil, program(t, "python3", "Debian's python3"), "-c", pythonReads)
}

func TestPeerSQLite(t *testing.T) {
	wanted(t)
	sqlite := program(t, "sqlite3", installPeers)
	files, delimiter := awkwardFiles(t, nil)
	for _, file := range files {
		rows := readDelimited(t, file, delimiter)
		var loaded []map[string]any
		require.NoError(t, json.Unmarshal(outputOf(t, exec.Command(sqlite, "-json", ":memory:",
			".import --csv "+file+" t", "select * from t")), &loaded))
		got := peerTable{Columns: rows[0]}
		for _, row := range loaded {
			var cells []any
			for _, column := range got.Columns {
				cells = append(cells, row[column])
			}
			got.Rows = append(got.Rows, cells)
		}
		sameCells(t, rows, got)
	}
}

func TestPeerPandas(t *testing.T) {
	wanted(t)
	// The first python3 in the path may lack Debian's packages.
	var python string
	for _, candidate := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(candidate, "-c", "import pandas").Run() == nil {
			python = candidate
		}
	}
	if python == "" {
		t.Skipf("needs a peer: no python3 with pandas is installed (%s)", installPeers)
	}
	traces, _, metrics := readTables(t, nil, python, "testdata/pandas_read.py")
	assert.Equal(t, "time", traces.typeOf("start"))
	assert.Equal(t, "float64", traces.typeOf("duration_seconds"))
	assert.Equal(t, "int64", traces.typeOf("attempt"))
	assert.Equal(t, "float64", metrics.typeOf("value"))
}

func TestPeerDuckDB(t *testing.T) {
	wanted(t)
	node := program(t, "node", installPeers)
	const directory = "testdata/duckdb"
	if _, err := os.Stat(directory + "/node_modules/@duckdb/node-api"); err != nil {
		install := exec.Command(program(t, "npm", installPeers), "ci", "--no-progress")
		install.Dir = directory
		outputOf(t, install)
	}
	for name, change := range map[string]func(*Config){
		"defaults":  nil,
		"semicolon": func(cfg *Config) { cfg.Delimiter = ";" },
		"datetime":  func(cfg *Config) { cfg.TimestampFormat = csvtext.TimeDatetime },
	} {
		t.Run(name, func(t *testing.T) {
			traces, logs, metrics := readTables(t, change, node, directory+"/read.mjs")
			assert.Contains(t, traces.typeOf("start"), "TIMESTAMP")
			assert.Contains(t, logs.typeOf("timestamp"), "TIMESTAMP")
			assert.Contains(t, metrics.typeOf("timestamp"), "TIMESTAMP")
			assert.Equal(t, "BIGINT", traces.typeOf("attempt"))
			assert.Equal(t, "VARCHAR", traces.typeOf("span_id"))
			assert.Equal(t, "DOUBLE", traces.typeOf("duration_seconds"))
			assert.Equal(t, "DOUBLE", metrics.typeOf("value"))
		})
	}
}

// TestPeerLibreOffice checks that Calc reads each cell with its type and evaluates none.
func TestPeerLibreOffice(t *testing.T) {
	wanted(t)
	soffice := program(t, "soffice", "LIBREOFFICE=1 "+installPeers)
	directory := t.TempDir()
	sheets := func(change func(*Config)) (got []peerTable, want [][][]string) {
		files, delimiter := awkwardFiles(t, func(cfg *Config) {
			cfg.TimestampFormat = csvtext.TimeDatetime
			change(cfg)
		})
		// Separator, quote, UTF-8, first row 1, no column types, language, quoted cells are not always text, and special
		// numbers, which include times, are detected.
		outputOf(t, exec.Command(soffice, append([]string{"--headless", "-env:UserInstallation=file://" + directory + "/profile",
			fmt.Sprintf("--infilter=CSV:%d,34,76,1,,0,false,true", delimiter), "--convert-to", "fods", "--outdir", directory}, files...)...))
		for _, file := range files {
			got = append(got, readSheet(t, filepath.Join(directory, strings.TrimSuffix(filepath.Base(file), ".csv")+".fods")))
			want = append(want, readDelimited(t, file, delimiter))
		}
		return got, want
	}
	for _, delimiter := range []string{",", ";"} {
		got, want := sheets(func(cfg *Config) { cfg.Delimiter = delimiter })
		for i, table := range got {
			sameCells(t, want[i], table)
			assert.NotContains(t, table.Types, "formula")
		}
		assert.Equal(t, "date", got[0].typeOf("start"))
		assert.Equal(t, "float", got[0].typeOf("duration_seconds"))
		assert.Equal(t, "date", got[2].typeOf("timestamp"))
		assert.Equal(t, "float", got[2].typeOf("value"))
	}
	got, _ := sheets(func(cfg *Config) { cfg.FormulaGuard = false })
	assert.Equal(t, "formula", got[0].typeOf("step_name"), "without the guard it runs them")
}

// sheetCell is a cell of a flat OpenDocument sheet.
type sheetCell struct {
	Type    string `xml:"value-type,attr"`
	Value   string `xml:"value,attr"`
	Date    string `xml:"date-value,attr"`
	Formula string `xml:"formula,attr"`
	Times   int    `xml:"number-columns-repeated,attr"`
	Lines   []struct {
		Text string `xml:",innerxml"`
	} `xml:"p"`
}

// readSheet reads a sheet written by LibreOffice. A column's type is that of its first row, or formula if any cell is one.
func readSheet(t *testing.T, path string) peerTable {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var document struct {
		Rows []struct {
			Cells []sheetCell `xml:"table-cell"`
		} `xml:"body>spreadsheet>table>table-row"`
	}
	require.NoError(t, xml.Unmarshal(text, &document))
	var table peerTable
	for i, row := range document.Rows {
		var cells []any
		for _, cell := range row.Cells {
			for range max(1, cell.Times) {
				cells = append(cells, cell.value(t))
				switch at := len(cells) - 1; {
				case i == 1:
					table.Types = append(table.Types, cell.Type)
				case i > 1 && cell.Formula != "":
					table.Types[at] = "formula"
				}
			}
		}
		if i > 0 {
			table.Rows = append(table.Rows, cells)
			continue
		}
		for _, cell := range cells {
			table.Columns = append(table.Columns, cell.(string))
		}
	}
	return table
}

var sheetMarks = strings.NewReplacer(`<text:s/>`, " ", `<text:tab/>`, "\t", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&amp;", "&")

func (c sheetCell) value(t *testing.T) any {
	t.Helper()
	switch c.Type {
	case "":
		return nil
	case "float":
		return numberOf(c.Value)
	case "date":
		at, err := time.Parse("2006-01-02T15:04:05", c.Date)
		require.NoError(t, err)
		return float64(at.UnixMicro())
	}
	var lines []string
	for _, line := range c.Lines {
		lines = append(lines, sheetMarks.Replace(line.Text))
	}
	return strings.Join(lines, "\n")
}
