// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package event

// Remapping gives the details, correlation ids and lists that are kept of a set their new indexes.
type Remapping struct {
	set *Set

	oldDetails        []*Detail
	oldCorrelationIDs []string
	oldLists          []int16

	details        map[uint16]uint16
	correlationIDs map[uint16]uint16
	lists          map[int16]int16
}

// Compact removes all records with their details, correlation ids and lists. Those that are still needed are kept through the
// remapping, and then the records by keepRecords.
func (s *Set) Compact() *Remapping {
	m := &Remapping{
		set: s, oldDetails: s.details, oldCorrelationIDs: s.CorrelationIDs, oldLists: s.lists,
		details: map[uint16]uint16{}, correlationIDs: map[uint16]uint16{}, lists: map[int16]int16{},
	}
	s.details, s.lists, s.CorrelationIDs, s.lastList = nil, nil, nil, 0
	s.packed = packed{}
	return m
}

// Detail keeps the detail with an index and returns its new one. Index 0 is none.
func (m *Remapping) Detail(old uint16) uint16 {
	return remapped(m.details, old, func() uint16 {
		m.set.details = append(m.set.details, m.oldDetails[old-1])
		return uint16(len(m.set.details))
	})
}

// CorrelationID keeps the correlation id with an index and returns its new one. Index 0 is none.
func (m *Remapping) CorrelationID(old uint16) uint16 {
	return remapped(m.correlationIDs, old, func() uint16 {
		m.set.CorrelationIDs = append(m.set.CorrelationIDs, m.oldCorrelationIDs[old-1])
		return uint16(len(m.set.CorrelationIDs))
	})
}

// KeepRecords keeps records, which it changes, with what they refer to.
func (m *Remapping) KeepRecords(kept []Record) {
	for i := range kept {
		r := &kept[i]
		r.Detail, r.CorrelationID = m.Detail(r.Detail), m.CorrelationID(r.CorrelationID)
		if r.Kind == Discovered && r.Number >= 0 {
			r.Number = m.list(r.Number)
		}
	}
	m.set.packed.pack(kept)
}

func (m *Remapping) list(old int16) int16 {
	if _, known := m.lists[old]; !known {
		m.set.lastList = int16(len(m.set.lists))
		m.lists[old] = m.set.lastList
		m.set.lists = append(m.set.lists, m.oldLists[old:old+1+m.oldLists[old]]...)
	}
	return m.lists[old]
}

// remapped returns the new index for an old one, always the same; keep makes it.
func remapped(known map[uint16]uint16, old uint16, keep func() uint16) uint16 {
	if old == 0 {
		return 0
	}
	if _, ok := known[old]; !ok {
		known[old] = keep()
	}
	return known[old]
}
