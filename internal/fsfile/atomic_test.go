// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package fsfile

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	wholeRows = 2000
	// killEnv is set to the path to write in the process that TestKill kills.
	killEnv = "ATOMICFILE_KILL_TEST_PATH"
)

// generation returns a writer of a file whose rows all have the same number, so that a mixture is detected.
func generation(number int) func(io.Writer) error {
	return func(w io.Writer) error {
		out := csv.NewWriter(w)
		for row := range wholeRows {
			if err := out.Write([]string{fmt.Sprint(number), fmt.Sprint(row), strings.Repeat("x", 40)}); err != nil {
				return err
			}
		}
		out.Flush()
		return out.Error()
	}
}

// checkWhole fails unless the file is exactly one generation. A missing file is fine.
func checkWhole(path string) (number string, err error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	records, err := csv.NewReader(strings.NewReader(string(content))).ReadAll()
	if err != nil {
		return "", err
	}
	if len(records) != wholeRows {
		return "", fmt.Errorf("%d rows of %d", len(records), wholeRows)
	}
	for i, record := range records {
		if record[0] != records[0][0] || record[1] != fmt.Sprint(i) {
			return "", fmt.Errorf("row %d is %v, the first is %v", i, record, records[0])
		}
	}
	return records[0][0], nil
}

func TestReaderNeverSeesAPart(t *testing.T) {
	file := Atomic{Path: filepath.Join(t.TempDir(), "metrics.csv")}
	require.NoError(t, file.Prepare())
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for ctx.Err() == nil {
				if _, err := checkWhole(file.Path); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for number := range 100 {
		require.NoError(t, file.Replace(generation(number)))
	}
	stop()
	readers.Wait()
}

func TestFailedReplaceKeepsTheFile(t *testing.T) {
	file := Atomic{Path: filepath.Join(t.TempDir(), "metrics.csv")}
	require.NoError(t, file.Replace(generation(1)))
	broken := errors.New("broken")
	err := file.Replace(func(w io.Writer) error {
		_, err := w.Write(make([]byte, 3*bufferSize))
		return errors.Join(err, broken)
	})
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, file.Path)
	number, err := checkWhole(file.Path)
	require.NoError(t, err)
	assert.Equal(t, "1", number)
	files, err := os.ReadDir(filepath.Dir(file.Path))
	require.NoError(t, err)
	assert.Len(t, files, 1)
}

// TestKill repeatedly kills a process while it writes. The file is complete each time, and temporary files are removed at the next
// start.
func TestKill(t *testing.T) {
	if path := os.Getenv(killEnv); path != "" {
		writeForEver(path)
	}
	file := Atomic{Path: filepath.Join(t.TempDir(), "metrics.csv")}
	neighbour := filepath.Join(filepath.Dir(file.Path), ".other.csv.1.tmp")
	require.NoError(t, os.WriteFile(neighbour, nil, 0o600))
	for range 5 {
		process := exec.Command(os.Args[0], "-test.run=^TestKill$")
		process.Env = append(os.Environ(), killEnv+"="+file.Path)
		require.NoError(t, process.Start())
		require.NoError(t, os.RemoveAll(file.Path))
		for number := ""; number == ""; {
			var err error
			number, err = checkWhole(file.Path)
			require.NoError(t, err)
		}
		require.NoError(t, process.Process.Kill())
		require.Error(t, process.Wait(), "killed")
		_, err := checkWhole(file.Path)
		require.NoError(t, err)

		require.NoError(t, file.Prepare())
		files, err := os.ReadDir(filepath.Dir(file.Path))
		require.NoError(t, err)
		var names []string
		for _, f := range files {
			names = append(names, f.Name())
		}
		assert.Equal(t, []string{".other.csv.1.tmp", "metrics.csv"}, names)
	}
}

func writeForEver(path string) {
	for number := 1; ; number++ {
		if err := (Atomic{Path: path}).Replace(generation(number)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// TestOnlyFilesAreReplaced: a device or a pipe would be lost for every program.
func TestOnlyFilesAreReplaced(t *testing.T) {
	require.ErrorContains(t, Atomic{Path: os.DevNull}.PrepareDirectory(), "a device")
	require.ErrorContains(t, Atomic{Path: t.TempDir()}.PrepareDirectory(), "a directory")
	require.NoError(t, Atomic{Path: filepath.Join(t.TempDir(), "new", "file")}.PrepareDirectory())
}

// TestPermissionsStay: restricted permissions of a file are kept by the next write.
func TestPermissionsStay(t *testing.T) {
	file := Atomic{Path: filepath.Join(t.TempDir(), "file")}
	for _, mode := range []os.FileMode{0o600, 0o664} {
		require.NoError(t, os.WriteFile(file.Path, nil, 0o600))
		require.NoError(t, os.Chmod(file.Path, mode))
		require.NoError(t, file.Replace(generation(1)))
		info, err := os.Stat(file.Path)
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().Perm())
	}
}
