// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package rowfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// fixed are rows that are written unchanged.
type fixed struct {
	header []string
	rows   [][]string
}

func (f fixed) Header() []string { return f.header }

func (f fixed) WriteRows(w RowWriter) (int, error) {
	for _, row := range f.rows {
		if err := w.Write(row); err != nil {
			return 0, err
		}
	}
	return len(f.rows), nil
}

func numbered(from, to int) fixed {
	f := fixed{header: []string{"number", "text"}}
	for i := from; i < to; i++ {
		f.rows = append(f.rows, []string{fmt.Sprint(i), "line\nbreak, \"quoted\" ü"})
	}
	return f
}

func format() Format { return Format{Delimiter: ',', Header: true} }

func unbounded() Rotation { return Rotation{MaxMegabytes: 1000} }

func openAppend(t require.TestingT, path string, format Format, rotation Rotation, compression Compression) *Append {
	a := NewAppend(path, format, rotation, compression, func(err error) { require.NoError(t, err) })
	_, err := a.Open()
	require.NoError(t, err)
	return a
}

func readRows(t require.TestingT, path string) [][]string {
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	rows, err := csv.NewReader(bytes.NewReader(content)).ReadAll() // rejects rows of different lengths
	require.NoError(t, err)
	return rows
}

// TestTornAtEveryByte truncates a file at any byte: it is continued after its last complete row, with one header.
func TestTornAtEveryByte(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "rows.csv")
	a := openAppend(t, path, format(), unbounded(), CompressionNone)
	_, err := a.Write(numbered(0, 4))
	require.NoError(t, err)
	require.NoError(t, a.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	want := readRows(t, path)

	for length := range len(whole) + 1 {
		for name, rest := range map[string]string{"cut": "", "zeros": strings.Repeat("\x00", 100)} {
			require.NoError(t, os.WriteFile(path, []byte(string(whole[:length])+rest), 0o600))
			a := NewAppend(path, format(), unbounded(), CompressionNone, nil)
			cut, err := a.Open()
			require.NoError(t, err)
			kept, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, int64(length+len(rest)-len(kept)), cut)
			require.True(t, bytes.HasPrefix(whole, kept))
			_, err = a.Write(numbered(4, 5))
			require.NoError(t, err)
			require.NoError(t, a.Close())
			rows := readRows(t, path)
			n := len(rows) - 1
			require.Equal(t, want[:max(n, 1)], rows[:max(n, 1)], "%s at %d", name, length)
			require.Equal(t, "4", rows[n][0])
		}
	}
}

// objects are rows whose names and cells are JSON, each with a quote and a brace.
func objects(from, to int) fixed {
	f := fixed{header: []string{`"number"`, `"left"`, `"text"`}}
	for i := from; i < to; i++ {
		f.rows = append(f.rows, []string{fmt.Sprint(i), "", `"a \"quote\" and {\n"`})
	}
	return f
}

// TestTornObjects truncates a file of JSON lines at any byte: it is continued after its last complete line.
func TestTornObjects(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.jsonl")
	write := func(rows fixed) {
		a := openAppend(t, path, Format{JSON: true, Header: true}, unbounded(), CompressionNone)
		written, err := a.Write(rows)
		require.NoError(t, err)
		require.False(t, written.Rotated)
		require.Nil(t, a.Columns())
		require.NoError(t, a.Close())
	}
	line := func(i int) string { return fmt.Sprintf(`{"number":%d,"text":"a \"quote\" and {\n"}`, i) + "\n" }
	write(objects(0, 3))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, line(0)+line(1)+line(2), string(whole))
	for length := range len(whole) + 1 {
		require.NoError(t, os.WriteFile(path, whole[:length], 0o600))
		write(objects(3, 4))
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		kept := strings.LastIndexByte(string(whole[:length]), '\n') + 1
		require.Equal(t, string(whole[:kept])+line(3), string(content))
	}
}

// TestOtherFormatIsPutAside checks that JSON lines are not appended to CSV, nor CSV to JSON lines.
func TestOtherFormatIsPutAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows")
	for i, format := range []Format{format(), {JSON: true}, format(), {Delimiter: ','}, {JSON: true}} {
		rows := numbered(0, 2)
		if format.JSON {
			rows = objects(0, 2)
		}
		a := openAppend(t, path, format, unbounded(), CompressionNone)
		for again := range 2 {
			written, err := a.Write(rows)
			require.NoError(t, err)
			require.Equal(t, again == 0 && i > 0 && i != 3, written.Rotated, "%d", i)
		}
		require.NoError(t, a.Close())
	}
}

// TestWholeRows checks that exactly the complete rows of any prefix are kept.
func TestWholeRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cells := rapid.SliceOfN(rapid.StringMatching(`[a",;\n\r ü]{0,6}`), 2, 2)
		rows := rapid.SliceOfN(cells, 0, 6).Draw(t, "rows")
		var text bytes.Buffer
		ends := []int{0}
		for _, row := range rows {
			w := csv.NewWriter(&text)
			require.NoError(t, w.Write(row))
			w.Flush()
			ends = append(ends, text.Len())
		}
		length := rapid.IntRange(0, text.Len()).Draw(t, "length")
		got, err := wholeRows(io.LimitReader(bytes.NewReader(text.Bytes()), int64(length)), false)
		require.NoError(t, err)
		want := 0
		for _, end := range ends {
			if end <= length {
				want = end
			}
		}
		require.Equal(t, int64(want), got)
	})
}

// killEnv is the path to write to in the process that TestKilledAppend kills.
const killEnv = "ROWFILE_KILL_TEST_PATH"

// TestKilledAppend repeatedly kills a process while it appends. Acknowledged rows exist once and in order; incomplete ones
// are removed.
func TestKilledAppend(t *testing.T) {
	if path := os.Getenv(killEnv); path != "" {
		appendForEver(path)
	}
	path := filepath.Join(t.TempDir(), "rows.csv")
	next := 0
	for range 6 {
		process := exec.Command(os.Args[0], "-test.run=^TestKilledAppend$")
		process.Env = append(os.Environ(), killEnv+"="+path)
		out, err := process.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, process.Start())
		first := make([]byte, 40)
		_, err = io.ReadFull(out, first)
		require.NoError(t, err)
		require.NoError(t, process.Process.Kill())
		rest, err := io.ReadAll(out)
		require.NoError(t, err)
		require.Error(t, process.Wait(), "killed")

		a := openAppend(t, path, format(), unbounded(), CompressionNone)
		require.NoError(t, a.Close())
		rows := readRows(t, path)
		require.Equal(t, []string{"number", "text"}, rows[0])
		acknowledged := next + batch*(len(first)+len(rest))
		require.GreaterOrEqual(t, len(rows)-1, acknowledged)
		for i, row := range rows[1:] {
			require.Equal(t, fmt.Sprint(i), row[0])
		}
		next = len(rows) - 1
	}
}

// batch is the number of rows per write of appendForEver.
const batch = 50

func appendForEver(path string) {
	a := NewAppend(path, format(), unbounded(), CompressionNone, nil)
	if _, err := a.Open(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	content, _ := os.ReadFile(path)
	rows, _ := csv.NewReader(bytes.NewReader(content)).ReadAll()
	for next := max(0, len(rows)-1); ; next += batch {
		if _, err := a.Write(numbered(next, next+batch)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Print(".") // acknowledged
	}
}

func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	big := fixed{header: []string{"number", "text"}}
	for i := range 1000 {
		big.rows = append(big.rows, []string{fmt.Sprint(i), strings.Repeat("x", 600)})
	}
	a := openAppend(t, path, format(), Rotation{MaxMegabytes: 1, MaxBackups: 2}, CompressionGzip)
	rotations := 0
	for range 5 {
		written, err := a.Write(big)
		require.NoError(t, err)
		assert.Equal(t, 1000, written.Rows)
		if written.Rotated {
			rotations++
		}
	}
	assert.Equal(t, 4, rotations)
	require.NoError(t, a.Close())
	assert.Len(t, readRows(t, path), 1001)
	packed, err := filepath.Glob(filepath.Join(filepath.Dir(path), "rows-*-size.csv.gz"))
	require.NoError(t, err)
	assert.Len(t, packed, 2, "older ones are removed")
	for _, name := range packed {
		assert.Len(t, readPacked(t, name, CompressionGzip), 1001, "every file has a header and whole rows")
	}
}

// TestEveryOldFileStays rotates several times within a millisecond, the resolution of the names.
func TestEveryOldFileStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	a := openAppend(t, path, format(), unbounded(), CompressionNone)
	const files = 30
	header := []string{}
	for i := range files {
		header = append(header, fmt.Sprint(i))
		_, err := a.Write(fixed{header, [][]string{header}})
		require.NoError(t, err)
	}
	require.NoError(t, a.Close())
	old, err := filepath.Glob(filepath.Join(filepath.Dir(path), "rows-*"))
	require.NoError(t, err)
	assert.Len(t, old, files-1)
}

// TestOldFilesAfterAKill checks that uncompressed rotated files of a killed process are compressed, expired ones are
// removed, and unrelated files remain.
func TestOldFilesAfterAKill(t *testing.T) {
	directory := t.TempDir()
	put := func(name, content string) string {
		name = filepath.Join(directory, name)
		require.NoError(t, os.WriteFile(name, []byte(content), 0o640))
		return name
	}
	stamp := time.Now().UTC().Add(-time.Hour).Format("2006-01-02T15-04-05.000")
	whole := put("rows-"+stamp+"-size.csv", "number,text\n1,x\n")
	put("rows-"+stamp+"-size.csv.gz", "\x1f\x8b half of it")
	put(".rows-"+stamp+"-size.csv.gz.00000001.tmp", "\x1f\x8b half of it")
	put("rows-2020-01-01T00-00-00.000-columns.csv", "too old")
	others := []string{put("rows-of-others-size.csv", "x"), put("rows-"+stamp+".csv", "x"), put("other-"+stamp+"-size.csv", "x")}

	a := openAppend(t, filepath.Join(directory, "rows.csv"), format(), Rotation{MaxMegabytes: 1, MaxDays: 1}, CompressionGzip)
	require.NoError(t, a.Close())
	entries, err := os.ReadDir(directory)
	require.NoError(t, err)
	assert.Len(t, entries, len(others)+2, "and the file itself, and the packed one: %v", entries)
	for _, other := range others {
		assert.FileExists(t, other)
	}
	assert.Equal(t, [][]string{{"number", "text"}, {"1", "x"}}, readPacked(t, whole+".gz", CompressionGzip))
	info, err := os.Stat(whole + ".gz")
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o640), info.Mode().Perm(), "that of what was packed")
}

// TestNotRemoved checks that a rotated file that cannot be removed is reported, and rows are still written.
func TestNotRemoved(t *testing.T) {
	directory := t.TempDir()
	old := filepath.Join(directory, "rows-2020-01-01T00-00-00.000-size.csv")
	require.NoError(t, os.MkdirAll(filepath.Join(old, "not empty"), 0o700))
	var failed error
	a := NewAppend(filepath.Join(directory, "rows.csv"), format(), Rotation{MaxMegabytes: 1, MaxDays: 1}, CompressionNone, func(err error) { failed = err })
	_, err := a.Open()
	require.NoError(t, err)
	require.ErrorContains(t, failed, old)
	_, err = a.Write(fixed{[]string{"a"}, [][]string{{"1"}}})
	require.NoError(t, err)
	require.NoError(t, a.Close())
	assert.DirExists(t, old)
}

// TestNotPacked checks that a rotated file that cannot be compressed remains and is reported.
func TestNotPacked(t *testing.T) {
	directory := t.TempDir()
	old := filepath.Join(directory, "rows-2026-01-01T00-00-00.000-size.csv")
	require.NoError(t, os.WriteFile(old, []byte("a\n"), 0o600))
	require.NoError(t, os.Mkdir(old+".zst", 0o700))
	var reported error
	a := NewAppend(filepath.Join(directory, "rows.csv"), format(), unbounded(), CompressionZstd, func(err error) { reported = err })
	_, err := a.Open()
	require.NoError(t, err)
	require.NoError(t, a.Close())
	require.ErrorContains(t, reported, old)
	assert.FileExists(t, old)
}

func readPacked(t *testing.T, name string, compression Compression) [][]string {
	t.Helper()
	file, err := os.Open(name)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	reader, err := compression.unpack(file)
	require.NoError(t, err)
	rows, err := csv.NewReader(reader).ReadAll()
	require.NoError(t, err)
	return rows
}

// TestNewColumns checks that a file has one header: rows with other columns rotate the file, also after a restart.
func TestNewColumns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	a := openAppend(t, path, format(), unbounded(), CompressionNone)
	write := func(rows fixed) bool {
		written, err := a.Write(rows)
		require.NoError(t, err)
		return written.Rotated
	}
	assert.False(t, write(numbered(0, 1)))
	assert.False(t, write(fixed{header: []string{"another"}}), "no rows, no columns")
	assert.True(t, write(fixed{[]string{"number", "text", "more"}, [][]string{{"1", "", "x"}}}))
	require.NoError(t, a.Close())
	a = openAppend(t, path, format(), unbounded(), CompressionNone)
	assert.Equal(t, []string{"number", "text", "more"}, a.Columns())
	assert.False(t, write(fixed{[]string{"number", "text", "more"}, [][]string{{"2", "", "y"}}}))
	assert.Len(t, readRows(t, path), 3)
	assert.True(t, write(numbered(3, 4)))
	require.NoError(t, a.Close())
	old, err := filepath.Glob(filepath.Join(filepath.Dir(path), "rows-*-columns.csv"))
	require.NoError(t, err)
	assert.Len(t, old, 2)
}

func TestWithoutHeader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	for range 2 {
		a := openAppend(t, path, Format{Delimiter: ','}, unbounded(), CompressionNone)
		written, err := a.Write(numbered(0, 2))
		require.NoError(t, err)
		assert.False(t, written.Rotated)
		assert.Nil(t, a.Columns())
		require.NoError(t, a.Close())
	}
	assert.Len(t, readRows(t, path), 4)
}

// TestMovedAndCut checks that writing continues after the current file was moved, removed or emptied.
func TestMovedAndCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	a := openAppend(t, path, format(), unbounded(), CompressionNone)
	for i, disturb := range []func() error{
		func() error { return os.Rename(path, path+".1") },
		func() error { return os.Remove(path) },
		func() error { return os.Truncate(path, 0) },
		func() error { return os.Truncate(path, 20) },
	} {
		_, err := a.Write(numbered(i, i+1))
		require.NoError(t, err)
		require.NoError(t, disturb())
	}
	foreign, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0)
	require.NoError(t, err)
	_, err = a.Write(numbered(8, 9))
	require.NoError(t, err)
	_, err = foreign.WriteString("half a ro")
	require.NoError(t, errors.Join(err, foreign.Close()))
	_, err = a.Write(numbered(9, 10))
	require.NoError(t, err)
	assert.Equal(t, [][]string{{"number", "text"}, {"8", "line\nbreak, \"quoted\" ü"}, {"9", "line\nbreak, \"quoted\" ü"}}, readRows(t, path))
	assert.Len(t, readRows(t, path+".1"), 2)
	require.NoError(t, a.Close())
	require.NoError(t, a.Close(), "twice")
}

// TestFailedAppendIsUndone checks that a partial write is reverted, and that the next one is complete.
func TestFailedAppendIsUndone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	a := openAppend(t, path, format(), unbounded(), CompressionNone)
	_, err := a.Write(numbered(0, 2))
	require.NoError(t, err)
	before, err := os.ReadFile(path)
	require.NoError(t, err)

	// A write that fails and cannot be reverted, as on a failing disk.
	reading, err := os.Open(path)
	require.NoError(t, err)
	require.NoError(t, a.file.Close())
	a.file = reading
	_, err = a.Write(numbered(2, 3))
	require.ErrorContains(t, err, path)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(before), string(content))
	require.NoError(t, os.WriteFile(path, append(before, "2,\"line"...), 0o600))

	_, err = a.Write(numbered(2, 3))
	require.NoError(t, err)
	assert.Equal(t, []string{"number", "0", "1", "2"}, column(readRows(t, path)))
	require.NoError(t, a.Close())
	_, err = NewAppend(filepath.Join(path, "below", "rows.csv"), format(), unbounded(), CompressionNone, nil).Open()
	require.ErrorContains(t, err, path)
}

func TestSnapshots(t *testing.T) {
	for _, compression := range Compressions() {
		t.Run(string(compression), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rows.csv")
			s := NewSnapshot(path, format(), compression)
			_, err := s.Open()
			require.NoError(t, err)
			assert.Nil(t, s.Columns())
			for i := range 2 {
				written, err := s.Write(numbered(i, i+3))
				require.NoError(t, err)
				assert.Equal(t, 3, written.Rows)
				assert.FileExists(t, compression.Path(path))
			}
			rows := readPacked(t, compression.Path(path), compression)
			assert.Equal(t, []string{"0", "1", "2", "3"}, append([]string{"0"}, column(rows[1:])...))
			assert.Equal(t, []string{"number", "text"}, s.Columns())
			require.NoError(t, s.Close())

			without := NewSnapshot(path, Format{Delimiter: ','}, compression)
			_, err = without.Write(numbered(0, 1))
			require.NoError(t, err)
			assert.Len(t, readPacked(t, compression.Path(path), compression), 1)
			assert.Nil(t, without.Columns())
		})
	}
	assert.Equal(t, "a.csv.gz", CompressionGzip.Path("a.csv.gz"))
}

func column(rows [][]string) []string {
	var cells []string
	for _, row := range rows {
		cells = append(cells, row[0])
	}
	return slices.Clip(cells)
}
