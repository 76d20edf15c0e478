package assembly

import (
	"encoding/binary"
	"slices"
)

// packed is records in the order in which they arrived, in about half of the memory: each as its difference to the one
// before, which is mostly of the same step, thread and second.
//
//	kind and flags      1 byte
//	time                varint, zigzag difference in nanoseconds
//	identity            4 bytes
//	step      flagged   uvarint, step+1
//	thread    flagged   uvarint
//	number    flagged   uvarint, number+1; and the detail, uvarint
type packed struct {
	bytes []byte
	count int32

	at     int64 // of the last record
	step   int16
	thread uint16
}

const (
	packedKind    = 1<<5 - 1
	packedStep    = 1 << 5
	packedThread  = 1 << 6
	packedDetails = 1 << 7

	// mostPerRecord is the most that one record can take.
	mostPerRecord = 1 + binary.MaxVarintLen64 + 4 + 3 + 3 + 3 + 3
	// packedAtOnce is by how many bytes packed records grow at least. Most tasks have few events and there are many tasks:
	// less room ahead than append would make.
	packedAtOnce = 64
)

// A kind has five bits.
const _ = uint(packedKind - kindPassEnded)

// add appends a record.
func (p *packed) add(r *record) {
	if p.count == 0 {
		p.step = noStep
	}
	if cap(p.bytes)-len(p.bytes) < mostPerRecord {
		p.bytes = slices.Grow(p.bytes, max(packedAtOnce, len(p.bytes)/8))
	}
	head := len(p.bytes)
	b := append(p.bytes, byte(r.kind))
	b = binary.AppendVarint(b, r.at-p.at)
	b = binary.LittleEndian.AppendUint32(b, r.identity)
	if r.step != p.step {
		b[head] |= packedStep
		b = binary.AppendUvarint(b, uint64(r.step+1))
	}
	if r.thread != p.thread {
		b[head] |= packedThread
		b = binary.AppendUvarint(b, uint64(r.thread))
	}
	if r.number != -1 || r.detail != 0 {
		b[head] |= packedDetails
		b = binary.AppendUvarint(b, uint64(r.number)+1)
		b = binary.AppendUvarint(b, uint64(r.detail))
	}
	p.bytes, p.count, p.at, p.step, p.thread = b, p.count+1, r.at, r.step, r.thread
}

// unpack appends the records to a list.
func (p *packed) unpack(into []record) []record {
	into = slices.Grow(into, int(p.count))
	r := record{step: noStep}
	b := p.bytes
	uvarint := func() uint64 {
		v, n := binary.Uvarint(b)
		b = b[n:]
		return v
	}
	for len(b) > 0 {
		head := b[0]
		delta, n := binary.Varint(b[1:])
		b = b[1+n:]
		r.at += delta
		r.identity = binary.LittleEndian.Uint32(b)
		b = b[4:]
		r.kind = kind(head & packedKind)
		r.number, r.detail = -1, 0
		if head&packedStep != 0 {
			r.step = int16(uvarint()) - 1
		}
		if head&packedThread != 0 {
			r.thread = uint16(uvarint())
		}
		if head&packedDetails != 0 {
			r.number = int16(uvarint() - 1)
			r.detail = uint16(uvarint())
		}
		into = append(into, r)
	}
	return into
}

// pack replaces all records.
func (p *packed) pack(records []record) {
	*p = packed{bytes: p.bytes[:0]}
	for i := range records {
		p.add(&records[i])
	}
}
