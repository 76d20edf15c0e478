// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package filestorage

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile"
)

// marker is a small file next to a component's. It records that the component's file exists, and its id.
type marker struct {
	// ID is also in the component's file.
	ID string `json:"id"`
	// Process is the id of the process that had the file open last.
	Process int `json:"process"`
}

const (
	markerSuffix = ".marker"
	// mostOfMarker bounds the bytes read, because anything may be at the path.
	mostOfMarker = 4096
)

func markerPath(path string) string { return fsfile.Companion(path, markerSuffix) }

// readMarker reads the marker of a file. A damaged one still shows that there should be a file.
func readMarker(path string) (m marker, found bool, err error) {
	file, err := fsfile.Open(markerPath(path), os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return m, false, nil
	}
	if err != nil {
		return m, false, err
	}
	defer func() { _ = file.Close() }() // opened for reading only
	text, err := io.ReadAll(io.LimitReader(file, mostOfMarker))
	if err != nil {
		return m, false, err
	}
	if json.Unmarshal(text, &m) != nil {
		return marker{}, true, nil
	}
	return m, true, nil
}

func (m marker) write(path string) error {
	file := fsfile.Atomic{Path: markerPath(path), Mode: 0o600}
	return file.Replace(func(w io.Writer) error { return json.NewEncoder(w).Encode(m) })
}
