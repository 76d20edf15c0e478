// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package writeahead

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"pgregory.net/rapid"
)

func TestAppendedBatchesAreRead(t *testing.T) {
	path := Path(filepath.Join(t.TempDir(), "database"))
	log, content, err := Open(path, true)
	require.NoError(t, err)
	assert.Zero(t, content)
	assert.False(t, log.Headed())
	require.Error(t, log.Restart("short"))
	token := rand.Text()
	require.NoError(t, log.Restart(token))
	var batch []byte
	for i := range 10 {
		batch = NewBatch(batch, []*storage.Operation{
			storage.SetOperation(fmt.Sprint("key ", i), []byte(fmt.Sprint("value ", i))),
			storage.GetOperation("ignored"), storage.DeleteOperation("gone"), storage.SetOperation("empty", nil),
		})
		at, err := log.Append(batch)
		require.NoError(t, err)
		changes, err := ReadBatch(batch[Room:], at)
		require.NoError(t, err)
		require.Len(t, changes, 3)
		value, err := log.Value(changes[0].Value)
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprint("value ", i), string(value))
		assert.True(t, changes[1].Delete)
		assert.Zero(t, changes[2].Value.Size)
	}
	require.NoError(t, log.Close())

	log, content, err = Open(path, false)
	require.NoError(t, err)
	assert.Equal(t, token, content.Token)
	assert.False(t, content.Damaged)
	require.Len(t, content.Batches, 10)
	assert.Equal(t, log.Size(), content.Size)
	changes, err := ReadBatch(content.Batches[7].Content, content.Batches[7].At)
	require.NoError(t, err)
	value, err := log.Value(changes[0].Value)
	require.NoError(t, err)
	assert.Equal(t, "value 7", string(value))
	assert.True(t, log.InPlace())

	next := rand.Text()
	require.NoError(t, log.Restart(next))
	content, err = Read(path)
	require.NoError(t, err)
	assert.Equal(t, next, content.Token)
	assert.Empty(t, content.Batches)
	require.NoError(t, os.Remove(path))
	assert.False(t, log.InPlace())
	require.NoError(t, log.Close())
}

// Changes of operations are those that are read from the batch.
func TestChangesAreWhatIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var ops []*storage.Operation
		for range rapid.IntRange(0, 5).Draw(t, "operations") {
			key := rapid.StringN(0, 300, 300).Draw(t, "key")
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				ops = append(ops, storage.GetOperation(key))
			case 1:
				ops = append(ops, storage.DeleteOperation(key))
			default:
				ops = append(ops, storage.SetOperation(key, make([]byte, rapid.SampledFrom([]int{0, 1, 127, 128, 20_000}).Draw(t, "size"))))
			}
		}
		at := rapid.Int64Range(0, 1<<40).Draw(t, "at")
		want, err := ReadBatch(NewBatch(nil, ops)[Room:], at)
		require.NoError(t, err)
		var got []Change
		Changes(ops, at, func(change Change) { got = append(got, change) })
		require.Equal(t, want, got)
	})
}

// TestAnEarlierLogIsNoPart: remains of a log with another token after this one are not read as a part of it.
func TestAnEarlierLogIsNoPart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	log, _, err := Open(path, false)
	require.NoError(t, err)
	require.NoError(t, log.Restart(rand.Text()))
	batch := NewBatch(nil, []*storage.Operation{storage.SetOperation("k", []byte("v"))})
	for range 3 {
		_, err := log.Append(batch)
		require.NoError(t, err)
	}
	earlier, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, log.Restart(rand.Text()))
	_, err = log.Append(batch)
	require.NoError(t, err)
	now, err := os.ReadFile(path)
	require.NoError(t, err)
	content := parse(append(now, earlier[len(now):]...))
	assert.Len(t, content.Batches, 1)
	assert.True(t, content.Damaged)
	assert.False(t, parse(append(now, make([]byte, 5000)...)).Damaged, "a file system may add zeros")
	require.NoError(t, log.Close())
}

// FuzzParse: whatever is in a file, reading it ends, and what is read lies within the file.
func FuzzParse(f *testing.F) {
	path := filepath.Join(f.TempDir(), "log")
	log, _, err := Open(path, false)
	require.NoError(f, err)
	require.NoError(f, log.Restart("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	for i := range 3 {
		_, err := log.Append(NewBatch(nil, []*storage.Operation{storage.SetOperation(fmt.Sprint(i), []byte("value")), storage.DeleteOperation("x")}))
		require.NoError(f, err)
	}
	seed, err := os.ReadFile(path)
	require.NoError(f, err)
	require.NoError(f, log.Close())
	f.Add(seed)
	f.Add(seed[:headSize])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		c := parse(data)
		for _, batch := range c.Batches {
			changes, err := ReadBatch(batch.Content, batch.At)
			if err != nil {
				continue
			}
			for _, change := range changes {
				end := change.Value.At + int64(change.Value.Size)
				require.LessOrEqual(t, end, int64(len(data)))
			}
		}
		_, _ = ReadBatch(data, 0)
	})
}
