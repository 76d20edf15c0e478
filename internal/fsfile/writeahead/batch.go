// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package writeahead

import (
	"slices"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
)

// Fields of a batch, in protocol buffers encoding; unknown ones are skipped:
//
//	message Batch { repeated Change change = 1; }
//	message Change { string key = 1; bytes value = 2; bool delete = 3; }
const (
	batchChange protowire.Number = 1

	changeKey    protowire.Number = 1
	changeValue  protowire.Number = 2
	changeDelete protowire.Number = 3
)

// Change is the change of a key.
type Change struct {
	Key    string
	Value  Place // of a set key
	Delete bool
}

// Place is the position of a value: in a batch, as from NewBatch and ReadBatch, or in the file.
type Place struct {
	At   int64
	Size int
}

// NewBatch encodes the writes among the operations into a batch, after the Room bytes for Append. It reuses the memory of an
// earlier batch.
func NewBatch(earlier []byte, ops []*storage.Operation) []byte {
	const most = 32 // more than a change takes besides its key and value
	size := Room
	for _, op := range ops {
		if op.Type != storage.Get {
			size += most + len(op.Key) + len(op.Value)
		}
	}
	batch := append(slices.Grow(earlier[:0], size), make([]byte, Room)...)
	for _, op := range ops {
		switch op.Type {
		case storage.Set:
			batch = appendHead(batch, sizeOf(op))
			batch = fields.Message(fields.Element(batch, changeKey, op.Key), changeValue, op.Value)
		case storage.Delete:
			batch = appendHead(batch, sizeOf(op))
			batch = fields.Number(fields.Element(batch, changeKey, op.Key), changeDelete, 1)
		}
	}
	return batch
}

// sizeOf returns the size of an operation's change, without its head.
func sizeOf(op *storage.Operation) int {
	size := protowire.SizeTag(changeKey) + protowire.SizeBytes(len(op.Key))
	if op.Type == storage.Delete {
		return size + protowire.SizeTag(changeDelete) + protowire.SizeVarint(1)
	}
	return size + protowire.SizeTag(changeValue) + protowire.SizeBytes(len(op.Value))
}

// Changes visits the changes of a batch that NewBatch made of the operations, as ReadBatch returns them.
func Changes(ops []*storage.Operation, at int64, visit func(Change)) {
	for _, op := range ops {
		if op.Type == storage.Get {
			continue
		}
		at += int64(protowire.SizeTag(batchChange) + protowire.SizeBytes(sizeOf(op))) // to the end of the change
		change := Change{Key: op.Key, Delete: op.Type == storage.Delete}
		if !change.Delete {
			change.Value = Place{At: at - int64(len(op.Value)), Size: len(op.Value)}
		}
		visit(change)
	}
}

// appendHead begins a change of a size in bytes.
func appendHead(batch []byte, size int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(batch, batchChange, protowire.BytesType), uint64(size))
}

// ReadBatch reads the changes of a batch's content, in order. The places of values are relative to at.
func ReadBatch(content []byte, at int64) (changes []Change, err error) {
	err = fields.Read(content, func(f *fields.Field) error {
		if f.Number != batchChange {
			return nil
		}
		next := Change{}
		err := fields.Read(f.Data, func(f *fields.Field) error {
			switch f.Number {
			case changeKey:
				next.Key = string(f.Data)
			case changeValue:
				next.Value = Place{At: at + int64(cap(content)-cap(f.Data)), Size: len(f.Data)} // Data is a part of content
			case changeDelete:
				next.Delete = f.Bits != 0
			}
			return nil
		})
		changes = append(changes, next)
		return err
	})
	return changes, err
}
