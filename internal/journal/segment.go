// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

// A segment is one value of the storage: a header and the entries of one commit.
//
//	byte    magic, 'J'
//	byte    version of this layout
//	4 bytes CRC-32C of what follows, little endian
//	then for each entry its length as an unsigned varint, and its bytes
const (
	magic          = 'J'
	version        = 1
	headerSize     = 6
	segmentPrefix  = "segment/"
	setAsidePrefix = "aside/"
	// sequenceBytes is the size of a sequence number, which a key has in hexadecimal digits.
	sequenceBytes = 8
	// segmentBytes is the size from which entries go into a further segment.
	segmentBytes = 256 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// segmentKey sorts by the sequence number.
func segmentKey(seq uint64) string {
	var key [len(segmentPrefix) + 2*sequenceBytes]byte
	var number [sequenceBytes]byte
	binary.BigEndian.PutUint64(number[:], seq)
	copy(key[:], segmentPrefix)
	hex.Encode(key[len(segmentPrefix):], number[:])
	return string(key[:])
}

func parseSegmentKey(key string) (uint64, bool) {
	digits, found := strings.CutPrefix(key, segmentPrefix)
	if !found || len(digits) != 2*sequenceBytes {
		return 0, false
	}
	seq, err := strconv.ParseUint(digits, 16, 64)
	return seq, err == nil
}

// newSegment returns an empty segment to append to, with capacity for a first entry, reusing the memory of an earlier one if that
// is large enough; seal completes it.
func newSegment(earlier []byte, entry int) []byte {
	size := headerSize + binary.MaxVarintLen64 + entry
	if cap(earlier) >= size {
		return earlier[:headerSize]
	}
	return make([]byte, headerSize, size)
}

func appendEntry(segment, entry []byte) []byte {
	segment = binary.AppendUvarint(segment, uint64(len(entry)))
	return append(segment, entry...)
}

func seal(segment []byte) []byte {
	segment[0], segment[1] = magic, version
	binary.LittleEndian.PutUint32(segment[2:], crc32.Checksum(segment[headerSize:], castagnoli))
	return segment
}

var (
	errForeign  = errors.New("it is not a segment of a journal")
	errChecksum = errors.New("its checksum is wrong")
	errCut      = errors.New("its last entry is truncated")
)

// CheckSegment checks the form of a value of a storage, without decoding its entries. A key that is not a segment's is not checked.
func CheckSegment(key string, value []byte) error {
	if _, is := parseSegmentKey(key); !is {
		return nil
	}
	return entries(value, func([]byte) error { return nil })
}

// entries reads a segment from front to back. The entry belongs to the segment.
func entries(segment []byte, read func(entry []byte) error) error {
	if len(segment) < headerSize || segment[0] != magic {
		return errForeign
	}
	if segment[1] != version {
		return fmt.Errorf("it has version %d; this collector reads version %d", segment[1], version)
	}
	rest := segment[headerSize:]
	if crc32.Checksum(rest, castagnoli) != binary.LittleEndian.Uint32(segment[2:]) {
		return errChecksum
	}
	for len(rest) > 0 {
		size, n := binary.Uvarint(rest)
		if n <= 0 || size > uint64(len(rest)-n) {
			return errCut
		}
		if err := read(rest[n : n+int(size)]); err != nil {
			return err
		}
		rest = rest[n+int(size):]
	}
	return nil
}
