// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventfile_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/eventfile"
)

// found is an item as tests compare it: its JSON, or "!" and the reason of the fault.
type found struct {
	line int
	text string
}

func readAll(t *testing.T, in io.Reader) []found {
	t.Helper()
	reader, err := eventfile.NewReader("f", in)
	require.NoError(t, err)
	var all []found
	for {
		item, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		assert.Equal(t, "f", item.File)
		text := string(item.JSON)
		if item.Fault != nil {
			assert.NotEmpty(t, item.Fault.Remedy)
			text = "!" + item.Fault.Reason
		}
		all = append(all, found{item.Line, text})
	}
}

func TestReader(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []found
	}{
		"nothing":            {"", nil},
		"white space":        {" \r\n\t\n", nil},
		"lines":              {"{\"a\":1}\n{\"b\":2}\n", []found{{1, `{"a":1}`}, {2, `{"b":2}`}}},
		"no last line feed":  {"{\"a\":1}\r\n\r\n{\"b\":2}", []found{{1, `{"a":1}`}, {3, `{"b":2}`}}},
		"byte order mark":    {"\xef\xbb\xbf{\"a\":1}", []found{{1, `{"a":1}`}}},
		"array":              {"[{\"a\":1},\n{\"b\":[2]}]", []found{{1, `{"a":1}`}, {2, `{"b":[2]}`}}},
		"indented":           {"[\n  {\n    \"a\": {\n      \"b\": \"x y\"\n    }\n  },\n  {}\n]\n", []found{{2, `{"a":{"b":"x y"}}`}, {7, `{}`}}},
		"arrays a line":      {"[{\"a\":1}]\n[]\n[{\"b\":2},{\"c\":3}]", []found{{1, `{"a":1}`}, {3, `{"b":2}`}, {3, `{"c":3}`}}},
		"several a line":     {`{"a":1}{"b":2} {"c":3}`, []found{{1, `{"a":1}`}, {1, `{"b":2}`}, {1, `{"c":3}`}}},
		"brackets in a text": {`{"a":"}]\"{["}`, []found{{1, `{"a":"}]\"{["}`}}},
		"cut text": {"{\"a\":\"x\n{\"b\":2}", []found{
			{1, "!the item is not valid JSON: unexpected end of JSON input"}, {2, `{"b":2}`}}},
		"cut object": {"{\"a\":{\"x\":1}\n{\"b\":2}", []found{
			{1, "!the item is not valid JSON: unexpected end of JSON input"}, {2, `{"b":2}`}}},
		"cut file": {"{\"a\":1}\n{\"b\":", []found{
			{1, `{"a":1}`}, {2, "!the item is not valid JSON: unexpected end of JSON input"}}},
		"cut array":      {"[{\"a\":1},", []found{{1, `{"a":1}`}, {1, "!the file ends inside an array of items"}}},
		"not an object":  {"hello world\n{\"a\":1}", []found{{1, `!"hello world" is not a JSON object`}, {2, `{"a":1}`}}},
		"values":         {"[1, {\"a\":1}, \"x\"]", []found{{1, `!"1" is not a JSON object`}, {1, `{"a":1}`}, {1, `!"\"x\"" is not a JSON object`}}},
		"not quite JSON": {"{'a': 1}", []found{{1, `!the item is not valid JSON: invalid character '\'' looking for beginning of object key string`}}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, readAll(t, strings.NewReader(test.text)))
			assert.Equal(t, test.want, readAll(t, iotest.OneByteReader(strings.NewReader(test.text))), "byte by byte")
		})
	}
}

func TestItemsLongerThanAnyBuffer(t *testing.T) {
	long := `{"a":"` + strings.Repeat("x", 3<<20) + `"}`
	tooLong := `{"a":"` + strings.Repeat("x", eventfile.MaxItemBytes) + `"}`
	got := readAll(t, strings.NewReader(long+"\n"+tooLong+"\n{}\n"))
	assert.Equal(t, []found{{1, long}, {2, "!the item has more than 16777216 bytes"}, {3, "{}"}}, got)
}

func TestSource(t *testing.T) {
	folder := t.TempDir()
	plain := filepath.Join(folder, "plain.ndjson")
	require.NoError(t, os.WriteFile(plain, []byte("{\"a\":1}\n"), 0o600))
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, err := io.WriteString(writer, "\n{\"b\":2}")
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	zipped := filepath.Join(folder, "zipped.gz")
	require.NoError(t, os.WriteFile(zipped, packed.Bytes(), 0o600))

	encoder, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	stdin := bytes.NewReader(encoder.EncodeAll([]byte(`{"c":3}`), nil))
	source := eventfile.NewSource([]string{plain, eventfile.Stdin, zipped}, stdin)
	require.NoError(t, source.Check())
	var batch eventfile.Batch
	for {
		item, err := source.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		batch.Add(item)
	}
	require.NoError(t, source.Close())
	assert.Equal(t, "{\"a\":1}\n{\"c\":3}\n{\"b\":2}\n", string(batch.Body))
	assert.Equal(t, []eventfile.Origin{{File: plain, Line: 1}, {File: "stdin", Line: 1}, {File: zipped, Line: 2}}, batch.Origins)
	origin, ok := batch.Origin(2)
	assert.True(t, ok)
	assert.Equal(t, zipped+":2", origin.String())
	_, ok = batch.Origin(3)
	assert.False(t, ok)
	batch.Reset()
	assert.Zero(t, batch.Len())
}

func TestSourceErrors(t *testing.T) {
	folder := t.TempDir()
	absent := filepath.Join(folder, "absent")
	source := eventfile.NewSource([]string{folder, absent, eventfile.Stdin}, strings.NewReader(""))
	err := source.Check()
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, "is a directory")

	broken := errors.New("broken pipe")
	source = eventfile.NewSource([]string{eventfile.Stdin}, io.MultiReader(strings.NewReader(`{"a":`), iotest.ErrReader(broken)))
	_, err = source.Next()
	assert.ErrorIs(t, err, broken)
	assert.ErrorContains(t, err, "stdin")

	source = eventfile.NewSource([]string{eventfile.Stdin}, strings.NewReader("\x1f\x8bnot gzip at all"))
	_, err = source.Next()
	assert.ErrorContains(t, err, "looks like gzip")

	source = eventfile.NewSource([]string{eventfile.Stdin}, strings.NewReader("\x28\xb5\x2f\xfdnot zstd at all"))
	_, err = source.Next()
	assert.ErrorContains(t, err, "stdin")

	source = eventfile.NewSource([]string{eventfile.Stdin}, strings.NewReader("\xff\xfe{\x00}\x00"))
	_, err = source.Next()
	assert.ErrorContains(t, err, "stdin is UTF-16")
}

func BenchmarkReader(b *testing.B) {
	text, err := os.ReadFile("../../../tests/streamtest/testdata/mixed.ndjson")
	require.NoError(b, err)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		reader, err := eventfile.NewReader("f", bytes.NewReader(text))
		require.NoError(b, err)
		for {
			if _, err := reader.Next(); err != nil {
				break
			}
		}
	}
}
