// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package filestorage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	upstream "github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/boltfile"
)

// TestFileNamesAreContribs: the checked file is the one that contrib's extension opens.
func TestFileNamesAreContribs(t *testing.T) {
	directory := t.TempDir()
	e, _ := newTest(t, directory, nil)
	long := strings.Repeat("x", 300)
	for _, c := range []struct {
		kind component.Kind
		id   component.ID
		name string
	}{
		{component.KindProcessor, component.MustNewID("span_hierarchy"), ""},
		{component.KindConnector, component.MustNewIDWithName("span_to_metrics", "a/b c"), ""},
		{component.KindExporter, component.MustNewIDWithName("otlp", "ü~"), "traces"},
		{component.KindReceiver, component.MustNewID("kafka"), "x.y-z"},
		{component.KindExtension, component.MustNewID("zpages"), ""},
		{component.KindExporter, component.MustNewID("otlp"), long},
	} {
		opened, err := e.GetClient(t.Context(), c.kind, c.id, c.name)
		require.NoError(t, err)
		require.NoError(t, opened.Set(t.Context(), "key", []byte("value")))
		path := opened.(*store).path
		require.NoError(t, opened.Close(t.Context()))
		found := false
		_, err = boltfile.Check(path, func(_, key, _ []byte) error { found = found || string(key) == "key"; return nil })
		require.NoError(t, err)
		assert.True(t, found, path)
		assert.FileExists(t, markerPath(path))
	}
}

func TestWhatIsStoredComesBack(t *testing.T) {
	directory, path := stored(t)
	e, _ := newTest(t, directory, nil)
	c := client(t, e)
	assert.Equal(t, map[string]string{"a": "1", "b": "2"}, content(t, c), "and nothing of our own")
	require.NoError(t, c.Delete(t.Context(), "a"))
	value, err := c.Get(t.Context(), "a")
	require.NoError(t, err)
	assert.Nil(t, value)
	assert.Empty(t, e.counted())
	require.NoError(t, c.Close(t.Context()))
	require.NoError(t, c.Close(t.Context()))
	require.ErrorIs(t, c.Set(t.Context(), "a", nil), errClosed)
	require.ErrorIs(t, c.Walk(t.Context(), nil), errClosed)
	assert.ElementsMatch(t, []string{filepath.Base(path), filepath.Base(path) + ".marker"}, files(t, directory))
}

// TestAttackHarmedFile: whatever happened to a file while the collector was down, the start succeeds and reports the loss, once.
func TestAttackHarmedFile(t *testing.T) {
	for name, c := range map[string]struct {
		harm   func(t *testing.T, path string)
		reason string
		kept   bool // in a file set aside
	}{
		"missing": {func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) }, "missing", false},
		"empty":   {func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 0)) }, "empty", false},
		"cut":     {func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 9000)) }, "damaged", true},
		"garbage head": {func(t *testing.T, path string) {
			change(t, path, func(b []byte) { copy(b, bytes.Repeat([]byte{0xA5}, 2*os.Getpagesize())) })
		}, "damaged", true},
		"garbage behind the head": {func(t *testing.T, path string) {
			change(t, path, func(b []byte) { copy(b[2*os.Getpagesize():], bytes.Repeat([]byte{0xA5}, len(b))) })
		}, "damaged", true},
		"a diary": {func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, bytes.Repeat([]byte("dear diary\n"), 5000), 0o600))
		}, "damaged", true},
		"another database": {func(t *testing.T, path string) {
			_, other := stored(t)
			require.NoError(t, os.Rename(other, path))
		}, "replaced", false},
	} {
		t.Run(name, func(t *testing.T) {
			directory, path := stored(t)
			c.harm(t, path)
			e, logs := newTest(t, directory, nil)
			opened := client(t, e)
			assert.Equal(t, map[string]int64{c.reason: 1}, e.counted())
			assert.Equal(t, 1, logs.FilterMessageSnippet("was lost").Len())
			require.NoError(t, opened.Set(t.Context(), "c", []byte("3")))
			require.NoError(t, opened.Close(t.Context()))
			aside, err := filepath.Glob(path + ".set-aside-*")
			require.NoError(t, err)
			assert.Equal(t, c.kept, len(aside) == 1)

			e, _ = newTest(t, directory, nil)
			assert.Equal(t, "3", content(t, client(t, e))["c"])
			assert.Empty(t, e.counted())
		})
	}
}

func change(t *testing.T, path string, how func([]byte)) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	how(data)
	require.NoError(t, os.WriteFile(path, data, 0o600))
}

// TestADamagedHead: the file is read by its other head, and may lack its latest write.
func TestADamagedHead(t *testing.T) {
	directory, path := stored(t)
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	reported := 0
	for head := range 2 {
		require.NoError(t, os.WriteFile(path, good, 0o600))
		change(t, path, func(b []byte) { clear(b[head*os.Getpagesize():][:os.Getpagesize()]) })
		e, _ := newTest(t, directory, nil)
		c := client(t, e)
		if e.counted()["head"] == 1 {
			reported++
			assert.Contains(t, content(t, c), "a")
		}
		require.NoError(t, c.Close(t.Context()))
	}
	assert.Positive(t, reported)
}

func TestFilesSetAsideAreBounded(t *testing.T) {
	directory, path := stored(t)
	for range mostAside + 3 {
		require.NoError(t, os.WriteFile(path, []byte("garbage"), 0o600))
		e, _ := newTest(t, directory, nil)
		require.NoError(t, client(t, e).Close(t.Context()))
	}
	assert.Len(t, files(t, directory), mostAside+2)
}

// TestAttackRemovedUnderTheRunningProcess: the content of the database is written to its path again before the next write is
// acknowledged.
func TestAttackRemovedUnderTheRunningProcess(t *testing.T) {
	for name, harm := range map[string]func(t *testing.T, directory, path string){
		"the directory": func(t *testing.T, directory, _ string) { require.NoError(t, os.RemoveAll(directory)) },
		"the file":      func(t *testing.T, _, path string) { require.NoError(t, os.Remove(path)) },
		"replaced by another one": func(t *testing.T, _, path string) {
			_, other := stored(t)
			require.NoError(t, os.Rename(other, path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			directory := filepath.Join(t.TempDir(), "state")
			e, logs := newTest(t, directory, nil)
			c := client(t, e)
			want := map[string]string{}
			for i := range 300 {
				key, value := fmt.Sprint(i), strings.Repeat("x", 10_000)
				want[key] = value
				require.NoError(t, c.Set(t.Context(), key, []byte(value)))
			}
			harm(t, directory, c.path)
			require.NoError(t, c.Set(t.Context(), "last", []byte("one")))
			want["last"] = "one"
			assert.Equal(t, map[string]int64{"": 1}, e.counted())
			assert.Equal(t, 1, logs.FilterMessageSnippet("written anew").Len())
			require.NoError(t, c.Close(t.Context()))
			e, _ = newTest(t, directory, nil)
			assert.Equal(t, want, content(t, client(t, e)))
			assert.Empty(t, e.counted())
		})
	}
}

// TestRemovedWhileNothingIsWritten: the periodic check notices it, too.
func TestRemovedWhileNothingIsWritten(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "state")
	e, _ := newTest(t, directory, nil)
	c := client(t, e)
	require.NoError(t, c.Set(t.Context(), "a", []byte("1")))
	require.NoError(t, os.RemoveAll(directory))
	c.watch(t.Context())
	assert.Equal(t, map[string]int64{"": 1}, e.counted())
	assert.FileExists(t, c.path)
	c.watch(t.Context())
	assert.Equal(t, map[string]int64{"": 1}, e.counted())
}

// TestADirectoryThatMayNotBeMade may be a mount that is unavailable: nothing is acknowledged until it is back.
func TestADirectoryThatMayNotBeMade(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "state")
	require.NoError(t, os.Mkdir(directory, 0o700))
	e, _ := newTest(t, directory, func(cfg *upstream.Config) { cfg.CreateDirectory = false })
	c := client(t, e)
	require.NoError(t, c.Set(t.Context(), "a", []byte("1")))
	away := directory + "-away"
	require.NoError(t, os.Rename(directory, away))
	require.ErrorContains(t, c.Set(t.Context(), "b", []byte("2")), "is gone: bring it back")
	assert.True(t, c.failing.Load())
	c.watch(t.Context())
	assert.True(t, c.failing.Load())
	require.NoError(t, os.Rename(away, directory))
	c.watch(t.Context())
	assert.False(t, c.failing.Load())
	require.NoError(t, c.Set(t.Context(), "c", []byte("3")))
	assert.Equal(t, map[string]string{"a": "1", "b": "2", "c": "3"}, content(t, c))
	assert.Empty(t, e.counted())
}

// TestCompactionIsNoRemoval: contrib's extension replaces a file that it compacts.
func TestCompactionIsNoRemoval(t *testing.T) {
	e, _ := newTest(t, t.TempDir(), func(cfg *upstream.Config) {
		cfg.Compaction.Directory = filepath.Join(cfg.Directory, "compaction") // it is made, as 'create_directory' asks
		cfg.Compaction.OnRebound, cfg.Compaction.CheckInterval = true, time.Millisecond
		cfg.Compaction.ReboundNeededThresholdMiB, cfg.Compaction.ReboundTriggerThresholdMiB = 1, 1
	})
	c := client(t, e)
	before, err := os.Stat(c.path)
	require.NoError(t, err)
	value := bytes.Repeat([]byte("x"), 100_000)
	deadline := time.Now().Add(time.Minute)
	for changed := false; !changed; {
		require.True(t, time.Now().Before(deadline), "no compaction")
		for i := range 30 {
			require.NoError(t, c.Set(t.Context(), fmt.Sprint(i), value))
		}
		for i := range 30 {
			require.NoError(t, c.Delete(t.Context(), fmt.Sprint(i)))
		}
		now, err := os.Stat(c.path)
		require.NoError(t, err)
		changed = !os.SameFile(before, now)
	}
	require.NoError(t, c.Set(t.Context(), "a", []byte("1")))
	assert.Empty(t, e.counted())
	assert.Equal(t, map[string]string{"a": "1"}, content(t, c))
	assert.False(t, c.failing.Load())
}

// TestCloseDuringCompaction: a store can be closed while its file is compacted repeatedly.
func TestCloseDuringCompaction(t *testing.T) {
	for range 20 {
		e, _ := newTest(t, t.TempDir(), func(cfg *upstream.Config) {
			cfg.Compaction.OnRebound, cfg.Compaction.CheckInterval = true, time.Microsecond
			cfg.Compaction.ReboundNeededThresholdMiB, cfg.Compaction.ReboundTriggerThresholdMiB = 0, 1
		})
		c := client(t, e)
		require.NoError(t, c.Set(t.Context(), "a", []byte("1")))
		require.NoError(t, c.Close(t.Context()))
		assert.Empty(t, e.counted())
	}
}

func TestTwoProcessesOnOneDirectory(t *testing.T) {
	directory := t.TempDir()
	first, _ := newTest(t, directory, nil)
	c := client(t, first)
	require.NoError(t, c.Set(t.Context(), "a", []byte("1")))
	second, _ := newTest(t, directory, func(cfg *upstream.Config) { cfg.Timeout = time.Millisecond })
	_, err := second.GetClient(t.Context(), component.KindProcessor, owner, "")
	require.ErrorContains(t, err, "is in use by another process")
	require.ErrorContains(t, err, fmt.Sprintf("process %d had it last", os.Getpid()))
	require.ErrorContains(t, err, "a directory belongs to one collector")
	assert.Equal(t, map[string]string{"a": "1"}, content(t, c))
}

// TestWhatIsNoFileIsRefused: opening a pipe would block, and a link may lead to another owner's file.
func TestWhatIsNoFileIsRefused(t *testing.T) {
	for name, put := range map[string]func(path string) error{
		"pipe":      func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"link":      func(path string) error { return os.Symlink(filepath.Join(t.TempDir(), "victim"), path) },
	} {
		for _, suffix := range []string{"", ".marker", ".wal"} {
			t.Run(name+suffix, func(t *testing.T) {
				directory := t.TempDir()
				require.NoError(t, put(filepath.Join(directory, fileName(component.KindProcessor, owner, "")+suffix)))
				e, _ := newTest(t, directory, nil)
				_, err := e.GetClient(t.Context(), component.KindProcessor, owner, "")
				require.ErrorContains(t, err, "remove what stands there")
			})
		}
	}
}

// TestNoRoomForAFile: the start succeeds without the file, nothing is acknowledged, and the file is created when there is room.
func TestNoRoomForAFile(t *testing.T) {
	e, _ := newTest(t, t.TempDir(), nil)
	full := true
	inner := e.inner
	e.inner = connecting{inner, func() error {
		if full {
			return fmt.Errorf("write: %w", syscall.ENOSPC)
		}
		return nil
	}}
	c := client(t, e)
	assert.True(t, c.failing.Load())
	assert.Empty(t, content(t, c))
	value, err := c.Get(t.Context(), "a")
	require.NoError(t, err)
	assert.Nil(t, value)
	require.ErrorIs(t, c.Set(t.Context(), "a", []byte("1")), syscall.ENOSPC)
	c.watch(t.Context())
	full = false
	require.NoError(t, c.Set(t.Context(), "a", []byte("1")))
	assert.False(t, c.failing.Load())
	assert.Equal(t, map[string]string{"a": "1"}, content(t, c))

	e, _ = newTest(t, t.TempDir(), nil)
	e.inner = connecting{e.inner, func() error { return errors.New("another reason") }}
	_, err = e.GetClient(t.Context(), component.KindProcessor, owner, "")
	require.ErrorContains(t, err, "another reason", "that is for the operator to repair")
	e.inner = connecting{e.inner, func() error { panic("page 7 already freed") }}
	_, err = e.GetClient(t.Context(), component.KindProcessor, owner, "")
	require.ErrorContains(t, err, "the database broke down: page 7 already freed")
}

// connecting is contrib's extension; opening a file may fail.
type connecting struct {
	storage.Extension
	ask func() error
}

func (c connecting) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	if err := c.ask(); err != nil {
		return nil, err
	}
	return c.Extension.GetClient(ctx, kind, id, name)
}
