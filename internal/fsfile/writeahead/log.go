// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package writeahead is a write-ahead log: one file to which batches of changes are appended, each by one write, until they
// are in the log's database. Then it is restarted.
//
// A log has a token, which is also in the database. A restart changes it, so that remains of an earlier log in the file are
// never read as a part of this one.
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
//
// A [Log] belongs to the client that opened it, which serializes all calls.
package writeahead

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile"
)

const (
	magic = "TSKWAL\x00\x01"
	// TokenSize is the length of a token, as of crypto/rand.Text.
	TokenSize = 26
	headSize  = len(magic) + TokenSize + 4
	// Room is the space that a batch must reserve at its beginning, for the log.
	Room = 12
)

// Path returns the path of a database's log.
func Path(database string) string { return fsfile.Companion(database, ".wal") }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Log is an open log. It is not safe for concurrent use.
type Log struct {
	path string
	file *os.File
	info os.FileInfo
	// fsync syncs each batch to disk before Append returns.
	fsync bool
	seed  uint32 // the checksum of the token
	end   int64  // after the last batch
	// headed is true if the file has a complete head.
	headed bool
}

// Open opens the log, or creates an empty one. Its batches are in the content, and Append continues after them.
func Open(path string, fsync bool) (l *Log, c Content, err error) {
	file, err := fsfile.Open(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, c, err
	}
	l = &Log{path: path, file: file, fsync: fsync}
	if l.info, err = file.Stat(); err == nil {
		c, err = read(file, l.info.Size())
	}
	if err == nil && fsync && l.info.Size() == 0 {
		err = fsfile.SyncDirectory(filepath.Dir(path))
	}
	if err != nil {
		return nil, c, errors.Join(err, file.Close())
	}
	l.seed, l.end, l.headed = seedOf(c.Token), c.end, c.Token != ""
	return l, c, nil
}

// Headed reports whether the file has a head and so was a log.
func (l *Log) Headed() bool { return l.headed }

// Size returns the size of the file's used part.
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

// Append writes a batch, whose content begins after Room bytes, which it fills, and returns the content's offset in the file. After
// an error the batch is not in the log, unless the process ends before the next one is written.
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

// Close closes the file and does not change it.
func (l *Log) Close() error { return l.file.Close() }

func seedOf(token string) uint32 { return crc32.Checksum([]byte(token), castagnoli) }
