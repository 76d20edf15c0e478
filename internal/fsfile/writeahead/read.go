// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package writeahead

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"os"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile"
)

// Content is the content of a log.
type Content struct {
	// Token is empty if the file has no complete head.
	Token string
	// Batches are the readable batches, in order.
	Batches []Batch
	// Damaged is true if the file has unreadable data after the batches. A partial batch, from a process that ended during the
	// write, is not damage, because it was never acknowledged.
	Damaged bool
	// Size is the size of the file.
	Size int64
	end  int64 // after the last batch
}

// Batch is a decoded batch.
type Batch struct {
	Content []byte
	At      int64 // offset of the content in the file
}

// Read reads a log that another process may be writing to.
func Read(path string) (c Content, err error) {
	file, err := fsfile.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return c, err
	}
	defer func() { _ = file.Close() }() // opened for reading only
	info, err := file.Stat()
	if err != nil {
		return c, err
	}
	return read(file, info.Size())
}

func read(file io.ReaderAt, size int64) (Content, error) {
	data := make([]byte, size)
	n, err := file.ReadAt(data, 0)
	if err != nil && err != io.EOF { //nolint:errorlint // ReadAt returns it as it is
		return Content{}, err
	}
	return parse(data[:n]), nil
}

func parse(data []byte) Content {
	c := Content{Size: int64(len(data))}
	if len(data) < headSize || string(data[:len(magic)]) != magic {
		return c
	}
	behindToken := headSize - 4
	if crc32.Checksum(data[:behindToken], castagnoli) != binary.LittleEndian.Uint32(data[behindToken:]) {
		return c
	}
	c.Token = string(data[len(magic):behindToken])
	c.end = int64(headSize)
	seed := seedOf(c.Token)
	for rest := data[headSize:]; len(rest) >= Room; {
		length := int64(binary.LittleEndian.Uint32(rest))
		if crc32.Update(seed, castagnoli, rest[:4]) != binary.LittleEndian.Uint32(rest[4:]) {
			c.Damaged = c.Damaged || !zero(rest) // a file system may extend a file with zeros before its data
			break
		}
		if length > int64(len(rest)-Room) {
			break // a partial batch
		}
		content := rest[Room : Room+length : Room+length]
		switch {
		case crc32.Update(seed, castagnoli, content) == binary.LittleEndian.Uint32(rest[8:]):
			c.Batches = append(c.Batches, Batch{content, c.end + Room})
		case !zero(content):
			c.Damaged = true
		}
		rest = rest[Room+length:]
		c.end += Room + length
	}
	return c
}

func zero(data []byte) bool {
	for _, b := range data {
		if b != 0 {
			return false
		}
	}
	return true
}
