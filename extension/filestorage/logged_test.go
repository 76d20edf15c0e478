// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package filestorage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	upstream "github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/writeahead"
)

// killed returns a copy of a directory as if the process were killed now.
func killed(tb testing.TB, directory string) string {
	tb.Helper()
	to := tb.TempDir()
	require.NoError(tb, os.CopyFS(to, os.DirFS(directory)))
	return to
}

// after returns what a process finds in a directory, and what it counts as lost.
func after(tb testing.TB, directory string) (found map[string]string, lost map[string]int64) {
	tb.Helper()
	e, _ := newTest(tb, directory, nil)
	c := client(tb, e)
	found = content(tb, c)
	require.NoError(tb, c.Close(tb.Context()))
	return found, e.counted()
}

// walOf returns the log of the file in a directory.
func walOf(directory string) string {
	return writeahead.Path(filepath.Join(directory, fileName(component.KindProcessor, owner, "")))
}

// TestPropertyWhatIsWrittenIsThere: whatever is written, read, folded into the database, closed or killed, in any order.
func TestPropertyWhatIsWrittenIsThere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		directory := t.TempDir()
		e, _ := newTest(t, directory, nil)
		c := client(t, e)
		model := map[string]string{}
		reopen := func() {
			e, _ = newTest(t, directory, nil)
			c = client(t, e)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"batch": func(rt *rapid.T) {
				var ops []*storage.Operation
				var want []string
				for range rapid.IntRange(1, 5).Draw(rt, "ops") {
					key := rapid.SampledFrom([]string{"a", "b", "c", "d", ""}).Draw(rt, "key") + "k"
					switch rapid.IntRange(0, 3).Draw(rt, "kind") {
					case 0:
						delete(model, key)
						ops = append(ops, storage.DeleteOperation(key))
					case 1:
						value, known := model[key]
						want = append(want, fmt.Sprint(known, value))
						ops = append(ops, storage.GetOperation(key))
					default:
						value := rapid.StringN(0, 20, 200).Draw(rt, "value")
						model[key] = value
						ops = append(ops, storage.SetOperation(key, []byte(value)))
					}
				}
				require.NoError(rt, c.Batch(t.Context(), ops...))
				var got []string
				for _, op := range ops {
					if op.Type == storage.Get {
						got = append(got, fmt.Sprint(op.Value != nil, string(op.Value)))
					}
				}
				require.Equal(rt, want, got)
			},
			"fold":  func(rt *rapid.T) { require.NoError(rt, c.client.fold(t.Context())) },
			"close": func(rt *rapid.T) { require.NoError(rt, c.Close(t.Context())); reopen() },
			"kill":  func(*rapid.T) { directory = killed(t, directory); reopen() },
			"": func(rt *rapid.T) {
				require.Equal(rt, model, content(t, c))
				require.Empty(rt, e.counted())
			},
		})
	})
}

// intercepted is contrib's client, whose batches go through a function of the test.
type intercepted struct {
	storage.Client
	batch func(ctx context.Context, ops ...*storage.Operation) error
}

func (c intercepted) Batch(ctx context.Context, ops ...*storage.Operation) error {
	return c.batch(ctx, ops...)
}

func (c intercepted) Set(ctx context.Context, key string, value []byte) error {
	return c.batch(ctx, storage.SetOperation(key, value))
}

func (c intercepted) Delete(ctx context.Context, key string) error {
	return c.batch(ctx, storage.DeleteOperation(key))
}

func (c intercepted) Walk(ctx context.Context, visit storage.WalkFunc) error {
	return walk(ctx, c.Client, visit)
}

// snapshots calls take before and after each batch.
func snapshots(c storage.Client, take func()) storage.Client {
	return intercepted{c, func(ctx context.Context, ops ...*storage.Operation) error {
		take()
		defer take()
		return c.Batch(ctx, ops...)
	}}
}

// TestKilledWhileFolding: at whichever step the process is killed, everything is there, and no loss is reported.
func TestKilledWhileFolding(t *testing.T) {
	directory := t.TempDir()
	e, _ := newTest(t, directory, nil)
	c := client(t, e)
	want := map[string]string{}
	check := func() {
		found, lost := after(t, killed(t, directory))
		require.Equal(t, want, found)
		require.Empty(t, lost)
	}
	c.client.inner = snapshots(c.client.inner, check)
	for round := range 3 {
		for i := range 5 {
			key, value := fmt.Sprint(i), fmt.Sprint(round, i)
			require.NoError(t, c.Set(t.Context(), key, []byte(value)))
			want[key] = value
		}
		require.NoError(t, c.Delete(t.Context(), "3"))
		delete(want, "3")
		check()
		require.NoError(t, c.client.fold(t.Context()))
		check()
	}
	require.NoError(t, c.Set(t.Context(), "last", []byte("one")))
	want["last"] = "one"
	require.NoError(t, c.Close(t.Context()))
	check()
	assert.NoFileExists(t, walOf(directory))
}

// TestKilledWhileWriting: after a write that ends at any byte, everything before it is there, and no loss is reported.
func TestKilledWhileWriting(t *testing.T) {
	directory := t.TempDir()
	e, _ := newTest(t, directory, nil)
	c := client(t, e)
	want := map[string]string{}
	for i := range 3 {
		require.NoError(t, c.Set(t.Context(), fmt.Sprint(i), []byte("value")))
		want[fmt.Sprint(i)] = "value"
	}
	info, err := os.Stat(walOf(directory))
	require.NoError(t, err)
	whole := info.Size()
	require.NoError(t, c.Batch(t.Context(), storage.SetOperation("last", []byte("one")), storage.DeleteOperation("0")))
	info, err = os.Stat(walOf(directory))
	require.NoError(t, err)
	for size := whole; size < info.Size(); size++ {
		copied := killed(t, directory)
		require.NoError(t, os.Truncate(walOf(copied), size))
		found, lost := after(t, copied)
		require.Equal(t, want, found, size)
		require.Empty(t, lost, size)
	}
}

// TestAttackHarmedLog: whatever happens to the log of a process that was killed is reported as a loss, and readable changes are
// there.
func TestAttackHarmedLog(t *testing.T) {
	directory, _ := stored(t) // a and b are in the database
	e, _ := newTest(t, directory, nil)
	c := client(t, e)
	for i := range 4 {
		require.NoError(t, c.Set(t.Context(), fmt.Sprint(i), []byte("value")))
	}
	log, err := os.ReadFile(walOf(directory))
	require.NoError(t, err)
	for at := range log {
		copied := killed(t, directory)
		change(t, walOf(copied), func(data []byte) { data[at] ^= 0x40 })
		found, lost := after(t, copied)
		require.Equal(t, map[string]int64{"damaged": 1}, lost, at)
		require.Subset(t, found, map[string]string{"a": "1", "b": "2"}, at)
		_, lost = after(t, copied)
		require.Empty(t, lost, "it is reported once")
	}
	middle := killed(t, directory)
	change(t, walOf(middle), func(data []byte) { i := bytes.Index(data, []byte("value")); data[i] = 'V' })
	found, _ := after(t, middle)
	assert.Len(t, found, 2+3, "the batches behind the damaged one are used")

	for reason, harm := range map[string]func(path string) error{
		"missing": os.Remove,
		"empty":   func(path string) error { return os.Truncate(path, 0) },
		"damaged": func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("dear diary\n"), 50), 0o600) },
	} {
		copied := killed(t, directory)
		require.NoError(t, harm(walOf(copied)))
		found, lost := after(t, copied)
		assert.Equal(t, map[string]int64{reason: 1}, lost)
		assert.Equal(t, map[string]string{"a": "1", "b": "2"}, found)
	}
}

// TestLogOfAnotherFile: a log belongs to one database.
func TestLogOfAnotherFile(t *testing.T) {
	directory := t.TempDir()
	e, _ := newTest(t, directory, nil)
	c := client(t, e)
	require.NoError(t, c.Set(t.Context(), "a", []byte("1")))
	copied := killed(t, directory)
	require.NoError(t, os.WriteFile(filepath.Join(copied, filepath.Base(c.path)), bytes.Repeat([]byte("garbage"), 5000), 0o600))
	found, lost := after(t, copied)
	assert.Empty(t, found)
	assert.Equal(t, map[string]int64{"damaged": 1}, lost)
	aside, err := filepath.Glob(filepath.Join(copied, "*.set-aside-*"))
	require.NoError(t, err)
	assert.Len(t, aside, 2, "the file and its log")
}

// TestAttackLogRemovedUnderTheRunningProcess: its content is written again before the next write is acknowledged.
func TestAttackLogRemovedUnderTheRunningProcess(t *testing.T) {
	directory := t.TempDir()
	e, logs := newTest(t, directory, nil)
	c := client(t, e)
	require.NoError(t, c.Set(t.Context(), "a", []byte("1")))
	require.NoError(t, os.Remove(walOf(directory)))
	require.NoError(t, c.Set(t.Context(), "b", []byte("2")))
	assert.Equal(t, map[string]int64{"": 1}, e.counted())
	assert.Equal(t, 1, logs.FilterMessageSnippet("write-ahead log of a component was removed").Len())
	require.NoError(t, os.Remove(walOf(directory)))
	c.watch(t.Context())
	require.NoError(t, c.Set(t.Context(), "c", []byte("3")))
	found, lost := after(t, killed(t, directory))
	assert.Equal(t, map[string]string{"a": "1", "b": "2", "c": "3"}, found)
	assert.Empty(t, lost)
}

// failing refuses batches that write while there is an error.
func failing(c storage.Client, err *error) storage.Client {
	return intercepted{c, func(ctx context.Context, ops ...*storage.Operation) error {
		if *err != nil && writes(ops) {
			return *err
		}
		return c.Batch(ctx, ops...)
	}}
}

// TestTheDatabaseTakesNothing: the log accepts writes up to a bound, and keeps them across the process's end.
func TestTheDatabaseTakesNothing(t *testing.T) {
	directory := t.TempDir()
	e, _ := newTest(t, directory, nil)
	c := client(t, e)
	full := error(syscall.ENOSPC)
	c.client.inner = failing(c.client.inner, &full)
	want := map[string]string{}
	value := bytes.Repeat([]byte("x"), 1<<20)
	var err error
	for i := 0; err == nil; i++ {
		require.Less(t, i, 2*mostLogged/len(value), "it is bounded")
		if err = c.Set(t.Context(), fmt.Sprint(i), value); err == nil {
			want[fmt.Sprint(i)] = string(value)
		}
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	assert.Greater(t, len(want), foldBytes/len(value))
	assert.True(t, maps.Equal(want, content(t, c)))
	found, lost := after(t, killed(t, directory))
	assert.True(t, maps.Equal(want, found))
	assert.Empty(t, lost)
}

// TestTheLogCanNotBeBegun: a start on a full disk succeeds, and the log is created when there is room.
func TestTheLogCanNotBeBegun(t *testing.T) {
	directory, _ := stored(t)
	e, _ := newTest(t, directory, nil)
	full := error(syscall.ENOSPC)
	e.inner = clients{e.inner, func(c storage.Client) storage.Client { return failing(c, &full) }}
	c := client(t, e)
	assert.Equal(t, map[string]string{"a": "1", "b": "2"}, content(t, c))
	require.ErrorIs(t, c.Set(t.Context(), "c", []byte("3")), syscall.ENOSPC)
	full = nil
	require.NoError(t, c.Set(t.Context(), "c", []byte("3")))
	found, lost := after(t, killed(t, directory))
	assert.Equal(t, map[string]string{"a": "1", "b": "2", "c": "3"}, found)
	assert.Empty(t, lost)

	directory, _ = stored(t)
	e, _ = newTest(t, directory, nil)
	other := errors.New("another reason")
	e.inner = clients{e.inner, func(c storage.Client) storage.Client { return failing(c, &other) }}
	_, err := e.GetClient(t.Context(), component.KindProcessor, owner, "")
	require.ErrorContains(t, err, "begin the write-ahead log: another reason")
}

// clients is contrib's extension, with changed clients.
type clients struct {
	storage.Extension
	change func(storage.Client) storage.Client
}

func (c clients) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	made, err := c.Extension.GetClient(ctx, kind, id, name)
	if err != nil {
		return nil, err
	}
	return c.change(made), nil
}

// TestFoldedWhenItHasGrown: the log's growth is bounded, and keys deleted meanwhile are not in the database.
func TestFoldedWhenItHasGrown(t *testing.T) {
	directory := t.TempDir()
	e, _ := newTest(t, directory, func(cfg *upstream.Config) { cfg.FSync = true })
	c := client(t, e)
	value := bytes.Repeat([]byte("x"), 1<<20)
	for i := range 2*foldBytes/len(value) + 3 {
		require.NoError(t, c.Set(t.Context(), fmt.Sprint(i), value))
		require.NoError(t, c.Delete(t.Context(), fmt.Sprint(i-1)))
	}
	log, err := os.Stat(walOf(directory))
	require.NoError(t, err)
	assert.Less(t, log.Size(), int64(foldBytes))
	database, err := os.Stat(c.path)
	require.NoError(t, err)
	assert.LessOrEqual(t, database.Size(), int64(foldBytes/2))
	assert.Len(t, content(t, c), 1)
}

// TestFoldedWhenItHasManyKeys: the number of changed keys, which are in memory, is bounded.
func TestFoldedWhenItHasManyKeys(t *testing.T) {
	e, _ := newTest(t, t.TempDir(), nil)
	c := client(t, e)
	refused := error(syscall.ENOSPC)
	c.client.inner = failing(c.client.inner, &refused)
	ops := make([]*storage.Operation, foldKeys)
	for i := range ops {
		ops[i] = storage.SetOperation(fmt.Sprint(i), []byte("value"))
	}
	require.NoError(t, c.Batch(t.Context(), ops[1:]...))
	assert.Len(t, c.client.pending, foldKeys-1+len([]string{idKey}))
	require.NoError(t, c.Batch(t.Context(), ops[0]), "the log has it, although the database can't be written")
	assert.Greater(t, c.client.keysAt, foldKeys, "not with every write that follows")
	refused = nil
	for i := range ops {
		ops[i] = storage.SetOperation(fmt.Sprint("further ", i), []byte("value"))
	}
	require.NoError(t, c.Batch(t.Context(), ops...))
	assert.Empty(t, c.client.pending)
	assert.Equal(t, foldKeys, c.client.keysAt)
	assert.Len(t, content(t, c), 2*foldKeys)
}

// TestWalkWrites: a visitor's operations are executed, also when it stops early.
func TestWalkWrites(t *testing.T) {
	directory, _ := stored(t)
	e, _ := newTest(t, directory, nil)
	c := client(t, e)
	require.NoError(t, c.Set(t.Context(), "c", []byte("3")))
	require.NoError(t, c.Walk(t.Context(), func(key string, value []byte) ([]*storage.Operation, error) {
		return []*storage.Operation{storage.SetOperation(key, append([]byte("new "), value...))}, nil
	}))
	assert.Equal(t, map[string]string{"a": "new 1", "b": "new 2", "c": "new 3"}, content(t, c))
	seen := 0
	require.NoError(t, c.Walk(t.Context(), func(key string, _ []byte) ([]*storage.Operation, error) {
		seen++
		return []*storage.Operation{storage.DeleteOperation(key)}, storage.SkipAll
	}))
	assert.Equal(t, 1, seen)
	assert.Len(t, content(t, c), 2)
	require.ErrorIs(t, c.Walk(t.Context(), func(string, []byte) ([]*storage.Operation, error) { return nil, errEnough }), errEnough)
}

func BenchmarkSet(b *testing.B) {
	e, _ := newTest(b, b.TempDir(), nil)
	c := client(b, e)
	for _, size := range []int{500, 5_000, 50_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			value := bytes.Repeat([]byte("x"), size)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				if err := c.Batch(b.Context(), storage.SetOperation(fmt.Sprint(i), value), storage.DeleteOperation(fmt.Sprint(i-100))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
