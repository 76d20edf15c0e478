// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/binary"
	"slices"
	"time"
)

// packed is records in the order in which they arrived, in about half of the memory: each as its difference to the
// previous one, which mostly has the same step, correlation id and second.
//
//	kind and flags      1 byte
//	time                varint, zigzag difference in nanoseconds
//	identity            4 bytes
//	step      flagged   uvarint, step+1
//	correlation id  flagged  uvarint
//	number    flagged   uvarint, number+1; and the detail, uvarint
//
// Where the next record arrived in another tick of the collector's clock, it is preceded by an entry of its own: the kind
// packedTick, and a varint, zigzag difference in ticks.
type packed struct {
	bytes []byte
	count int32

	at            int64 // of the last record
	tick          int64 // in which it arrived
	step          int16
	correlationID uint16
}

// arrivalTick is how exactly the arrival of a record is kept.
const arrivalTick = int64(100 * time.Millisecond)

// ArrivedBy is when an event counts as arrived: at the end of the tick in which it arrived.
func ArrivedBy(now int64) int64 { return (now/arrivalTick+1)*arrivalTick - 1 }

const (
	packedKind        = 1<<5 - 1
	packedTick        = packedKind
	packedStep        = 1 << 5
	packedCorrelation = 1 << 6
	packedDetails     = 1 << 7

	// mostPerRecord is the largest size of a record in bytes.
	mostPerRecord = 1 + binary.MaxVarintLen64 + 1 + binary.MaxVarintLen64 + 4 + 3 + 3 + 3 + 3
	// packedAtOnce is by how many bytes packed records grow at least. Most tasks have few events and there are many tasks: append
	// would reserve too much.
	packedAtOnce = 64
)

// A kind has five bits, and one value of them is the tick.
const _ = uint(packedKind - Kinds)

// add appends a record.
func (p *packed) add(r *Record) {
	if p.count == 0 {
		p.step = NoStep
	}
	if cap(p.bytes)-len(p.bytes) < mostPerRecord {
		p.bytes = slices.Grow(p.bytes, max(packedAtOnce, len(p.bytes)/8))
	}
	if tick := r.Arrived / arrivalTick; tick != p.tick {
		p.bytes = binary.AppendVarint(append(p.bytes, packedTick), tick-p.tick)
		p.tick = tick
	}
	head := len(p.bytes)
	b := append(p.bytes, byte(r.Kind))
	b = binary.AppendVarint(b, r.At-p.at)
	b = binary.LittleEndian.AppendUint32(b, r.Identity)
	if r.Step != p.step {
		b[head] |= packedStep
		b = binary.AppendUvarint(b, uint64(r.Step+1))
	}
	if r.CorrelationID != p.correlationID {
		b[head] |= packedCorrelation
		b = binary.AppendUvarint(b, uint64(r.CorrelationID))
	}
	if r.Number != -1 || r.Detail != 0 {
		b[head] |= packedDetails
		b = binary.AppendUvarint(b, uint64(r.Number)+1)
		b = binary.AppendUvarint(b, uint64(r.Detail))
	}
	p.bytes, p.count, p.at, p.step, p.correlationID = b, p.count+1, r.At, r.Step, r.CorrelationID
}

// unpack appends the records to a list.
func (p *packed) unpack(into []Record) []Record {
	into = slices.Grow(into, int(p.count))
	r := Record{Step: NoStep}
	b := p.bytes
	tick := int64(0)
	r.Arrived = ArrivedBy(0)
	uvarint := func() uint64 {
		v, n := binary.Uvarint(b)
		b = b[n:]
		return v
	}
	for len(b) > 0 {
		head := b[0]
		delta, n := binary.Varint(b[1:])
		b = b[1+n:]
		if head == packedTick {
			tick += delta
			r.Arrived = ArrivedBy(tick * arrivalTick)
			continue
		}
		r.At += delta
		r.Identity = binary.LittleEndian.Uint32(b)
		b = b[4:]
		r.Kind = Kind(head & packedKind)
		r.Number, r.Detail = -1, 0
		if head&packedStep != 0 {
			r.Step = int16(uvarint()) - 1
		}
		if head&packedCorrelation != 0 {
			r.CorrelationID = uint16(uvarint())
		}
		if head&packedDetails != 0 {
			r.Number = int16(uvarint() - 1)
			r.Detail = uint16(uvarint())
		}
		into = append(into, r)
	}
	return into
}

// pack replaces all records.
func (p *packed) pack(records []Record) {
	*p = packed{bytes: p.bytes[:0]}
	for i := range records {
		p.add(&records[i])
	}
}
