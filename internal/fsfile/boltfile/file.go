// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package boltfile reads a database file of file_storage (bbolt) without opening it as a database: it takes no lock and maps no
// memory, and returns damage as an error. The database itself panics on damage, sometimes in its own goroutine, which ends the
// process.
//
// The database opens every file that [Check] accepts. Check reads the state of the latest write; if another process writes
// meanwhile and reuses pages being read, a sound file may look damaged: then it returns [ErrChanged].
package boltfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile"
)

// The layout of bbolt's files, version 2. Numbers are in the byte order of the machine.
const (
	magic         = 0xED0CDAED
	layoutVersion = 2

	headerSize    = 16 // of a page: its id, 8 bytes; flags, 2; elements, 2; overflow pages that follow, 4
	branchElement = 16 // position of the key, 4; its size, 4; page, 8
	leafElement   = 16 // flags, 4; position of the key, 4; its size, 4; size of the value, 4
	bucketHeader  = 16 // page of its root, or 0 when the page follows; sequence

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10

	flagBucket = 0x01 // of a leaf's element

	noFreelist  = ^uint64(0)
	smallestRaw = 1024
	largestRaw  = 16 << 20
)

// Offsets in a head after its page's header.
const (
	metaMagic    = 0
	metaVersion  = 4
	metaPageSize = 8
	metaRoot     = 16
	metaFreelist = 32
	metaPages    = 40
	metaWrite    = 48
	metaChecksum = 56
	metaSize     = 64
)

// ErrChanged means that the file was written while it was read, so that the result is void.
var ErrChanged = errors.New("it was written while it was read")

// DamageError is the reason why a file cannot be read.
type DamageError struct{ What string }

func (e *DamageError) Error() string { return "it is damaged: " + e.What }

func damaged(format string, args ...any) error {
	return &DamageError{fmt.Sprintf(format, args...)}
}

// meta is one of the two heads of a file. They are written in turn; the newer valid one is used.
type meta struct {
	pageSize int
	root     uint64
	freelist uint64
	pages    uint64 // in use, including the heads
	write    uint64 // number of the write that created it
}

// Summary is what a check found in a sound file.
type Summary struct {
	Keys int // in all buckets
	// HeadDamaged is true if one of the two heads is damaged. The file is read by the other one, which may be from before the
	// latest write.
	HeadDamaged bool
}

// Check reads a whole file and passes every key with its value to visit, which may be nil; both are valid until it returns. An
// error is visit's own, one of the file system, a [*DamageError], or [ErrChanged].
func Check(path string, visit func(bucket, key, value []byte) error) (Summary, error) {
	file, err := fsfile.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return Summary{}, err
	}
	defer func() { _ = file.Close() }() // opened for reading only
	c, err := newChecker(file, visit)
	if err != nil {
		return Summary{}, err
	}
	err = c.check()
	var damage *DamageError
	if errors.As(err, &damage) {
		if now, headErr := newChecker(file, nil); headErr == nil && now.head.write != c.head.write {
			return Summary{}, ErrChanged
		}
	}
	return c.found, err
}

func newChecker(file *os.File, visit func(bucket, key, value []byte) error) (*checker, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 {
		return nil, damaged("it is empty")
	}
	c := &checker{file: file, size: uint64(info.Size()), visit: visit}
	return c, c.readHeads()
}

// readHeads chooses the valid head, as the database does.
func (c *checker) readHeads() error {
	first, firstErr := c.readHead(0)
	if firstErr == nil {
		second, err := c.readHead(int64(first.pageSize))
		c.head = first
		if err != nil {
			c.found.HeadDamaged = true
			return readingFailed(err)
		}
		if second.write > first.write {
			c.head = second
		}
		return nil
	}
	if err := readingFailed(firstErr); err != nil {
		return err
	}
	c.found.HeadDamaged = true
	for at := int64(smallestRaw); at <= largestRaw; at *= 2 {
		second, err := c.readHead(at)
		if err == nil && int64(second.pageSize) == at {
			c.head = second
			return nil
		}
		if err := readingFailed(err); err != nil {
			return err
		}
	}
	return firstErr
}

// readingFailed returns errors that are not damage.
func readingFailed(err error) error {
	var damage *DamageError
	if errors.As(err, &damage) {
		return nil
	}
	return err
}

func (c *checker) readHead(at int64) (meta, error) {
	page := make([]byte, headerSize+metaSize)
	if _, err := c.file.ReadAt(page, at); errors.Is(err, io.EOF) {
		return meta{}, damaged("its head is cut")
	} else if err != nil {
		return meta{}, err
	}
	b := page[headerSize:]
	if binary.NativeEndian.Uint32(b[metaMagic:]) != magic {
		return meta{}, damaged("its head is not that of a database")
	}
	if v := binary.NativeEndian.Uint32(b[metaVersion:]); v != layoutVersion {
		return meta{}, damaged("its layout has version %d, not %d", v, layoutVersion)
	}
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaChecksum]) // it never fails
	if sum.Sum64() != binary.NativeEndian.Uint64(b[metaChecksum:]) {
		return meta{}, damaged("the checksum of its head is wrong")
	}
	m := meta{
		pageSize: int(binary.NativeEndian.Uint32(b[metaPageSize:])),
		root:     binary.NativeEndian.Uint64(b[metaRoot:]),
		freelist: binary.NativeEndian.Uint64(b[metaFreelist:]),
		pages:    binary.NativeEndian.Uint64(b[metaPages:]),
		write:    binary.NativeEndian.Uint64(b[metaWrite:]),
	}
	if m.pageSize < smallestRaw || m.pageSize > largestRaw || m.pageSize&(m.pageSize-1) != 0 {
		return meta{}, damaged("its pages have %d bytes", m.pageSize)
	}
	return m, nil
}
