// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package writeahead is a write-ahead log: one file to which batches of changes are appended, each by one write, until they
// are in the database that the log belongs to. Then it is restarted.
//
// A log has a token, which the database knows as well. A restart gives it another one, so that what an earlier log has left
// in the file is never taken for a part of this one.
//
//	8 bytes   magic and version
//	26 bytes  token
//	4 bytes   CRC-32C of both
//	then for each batch
//	4 bytes   length of the content
//	4 bytes   CRC-32C of the token and the length
//	4 bytes   CRC-32C of the token and the content
//	content   as Append got it
//
// Numbers are little endian.
package writeahead

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/atomicfile"
	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/companion"
	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/regular"
)

const (
	magic = "TSKWAL\x00\x01"
	// TokenSize is the length of a token, as of crypto/rand.Text.
	TokenSize = 26
	headSize  = len(magic) + TokenSize + 4
	// Room is what a batch must leave at its beginning, for the log.
	Room = 12
)

// Path is that of a database's log.
func Path(database string) string { return companion.Path(database, ".wal") }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Log is an open log. It is not safe for concurrent use.
type Log struct {
	path string
	file *os.File
	info os.FileInfo
	// fsync makes each batch durable before Append returns, not only with the operating system.
	fsync bool
	seed  uint32 // the checksum of the token
	end   int64  // behind the last batch
	// headed is true if the file has a whole head.
	headed bool
}

// Open opens the log, or makes an empty one. What it holds is in the content, and appending goes on behind it.
func Open(path string, fsync bool) (l *Log, c Content, err error) {
	file, err := regular.Open(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, c, err
	}
	l = &Log{path: path, file: file, fsync: fsync}
	if l.info, err = file.Stat(); err == nil {
		c, err = read(file, l.info.Size())
	}
	if err == nil && fsync && l.info.Size() == 0 {
		err = atomicfile.SyncDirectory(filepath.Dir(path))
	}
	if err != nil {
		return nil, c, errors.Join(err, file.Close())
	}
	l.seed, l.end, l.headed = seedOf(c.Token), c.end, c.Token != ""
	return l, c, nil
}

// Headed reports whether the file has a head, so that it was a log.
func (l *Log) Headed() bool { return l.headed }

// Size is the size of the file as far as it is in use.
func (l *Log) Size() int64 { return l.end }

// Restart empties the log and gives it another token. After an error nothing may be appended until a restart has succeeded.
func (l *Log) Restart(token string) error {
	if len(token) != TokenSize {
		return fmt.Errorf("a token of %d bytes", len(token))
	}
	l.headed = false
	if err := l.file.Truncate(min(l.end, int64(headSize))); err != nil {
		return err
	}
	head := append([]byte(magic), token...)
	head = binary.LittleEndian.AppendUint32(head, crc32.Checksum(head, castagnoli))
	if _, err := l.file.WriteAt(head, 0); err != nil {
		return err
	}
	l.seed, l.end, l.headed = seedOf(token), int64(headSize), true
	return nil
}

// Append writes a batch, whose content begins behind Room bytes, which it fills, and returns where in the file the content is.
// After an error the batch is not in the log, unless the process ends before the next one is.
func (l *Log) Append(batch []byte) (at int64, err error) {
	content := batch[Room:]
	binary.LittleEndian.PutUint32(batch, uint32(len(content)))
	binary.LittleEndian.PutUint32(batch[4:], crc32.Update(l.seed, castagnoli, batch[:4]))
	binary.LittleEndian.PutUint32(batch[8:], crc32.Update(l.seed, castagnoli, content))
	if _, err = l.file.WriteAt(batch, l.end); err == nil && l.fsync {
		err = l.file.Sync()
	}
	if err != nil {
		return 0, errors.Join(err, l.file.Truncate(l.end))
	}
	at = l.end + Room
	l.end += int64(len(batch))
	return at, nil
}

// Value reads a value that is in the file.
func (l *Log) Value(place Place) ([]byte, error) {
	value := make([]byte, place.Size)
	_, err := l.file.ReadAt(value, place.At)
	return value, err
}

// InPlace reports whether the file is still at its path.
func (l *Log) InPlace() bool {
	file, err := os.Lstat(l.path)
	return err == nil && os.SameFile(file, l.info)
}

// Close leaves the file as it is.
func (l *Log) Close() error { return l.file.Close() }

func seedOf(token string) uint32 { return crc32.Checksum([]byte(token), castagnoli) }
