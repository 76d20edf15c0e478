// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"slices"
	"strconv"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// leftOut are the payload keys whose values are not decoded: bulky or personal ones, those of the router's stamps, which no sender
// may write, and those that nothing uses of some events. Of a value left out only the hash is computed, so that the item's identity
// does not depend on what is left out.
type leftOut struct {
	places map[string]int
	keys   []leftOutKey
	// unused are the indexes of the keys that are left out of the events of one name only.
	unused map[string][]int
	// chosen are those of the current item. They are shared by all items with the same event.
	chosen []int
	// used are the indexes of the keys with a hash, and sum is the sum of these hashes.
	used []int
	sum  uint64
}

type leftOutKey struct {
	seed eventrecord.Seed
	kind leftOutKind
	// hash is the hash of the value in the current item; zero if absent.
	hash uint64
}

// leftOutKind is why a key is left out.
type leftOutKind uint8

const (
	// kept is a key that is not left out.
	kept leftOutKind = iota
	// leftOutStamp is a key of the router's, which is not part of an event.
	leftOutStamp
	leftOutBulky
	// leftOutUnused is a key that is left out of some events.
	leftOutUnused
)

// nowhere is the index of a key that is not left out.
const nowhere = -1

func newLeftOut(payloadKeys []string, unused map[string][]string) leftOut {
	l := leftOut{places: map[string]int{}, unused: map[string][]int{}}
	add := func(key string, kind leftOutKind) int {
		place, known := l.places[key]
		if !known {
			place = len(l.keys)
			l.places[key] = place
			l.keys = append(l.keys, leftOutKey{seed: eventrecord.SeedOf(lifecycle.AttributePrefix + key), kind: kind})
		}
		return place
	}
	for _, key := range eventrecord.Stamps() {
		add(key[len(lifecycle.AttributePrefix):], leftOutStamp)
	}
	for _, key := range payloadKeys {
		add(key, leftOutBulky)
	}
	for event, keys := range unused {
		for _, key := range keys {
			l.unused[event] = append(l.unused[event], add(key, leftOutUnused))
		}
	}
	return l
}

// begin resets the state of the previous item.
func (l *leftOut) begin() {
	for _, place := range l.used {
		l.keys[place].hash = 0
	}
	l.used, l.sum = l.used[:0], 0
}

// choose selects the keys that are left out of an item. Without a time of its own, those that nothing uses are not among them.
func (l *leftOut) choose(event string, untimed bool) {
	l.chosen = nil
	if !untimed {
		l.chosen = l.unused[event]
	}
}

// any reports whether values that nothing uses are left out of the current item.
func (l *leftOut) any() bool { return len(l.chosen) > 0 }

// placeOf returns the index of a payload key among those left out of the current event, or nowhere.
func (l *leftOut) placeOf(key []byte) int {
	place, found := l.places[string(key)]
	if !found || l.keys[place].kind == leftOutUnused && !slices.Contains(l.chosen, place) {
		return nowhere
	}
	return place
}

// kindOf returns why a payload key is left out of the current event, or kept.
func (l *leftOut) kindOf(key []byte) leftOutKind {
	if place := l.placeOf(key); place != nowhere {
		return l.keys[place].kind
	}
	return kept
}

// leave computes only the hash of the value at i, which is not null. Of values under the same key the last one counts, as with
// decoded ones.
func (d *decoding) leave(place int, i uint32) {
	key := &d.left.keys[place]
	if d.report.leave(key.kind) {
		return
	}
	d.left.add(place, d.hash(key.seed, i))
}

// leave counts a value that is left out. It reports whether it is no part of the event.
func (r *Report) leave(kind leftOutKind) (stamp bool) {
	switch kind {
	case leftOutStamp:
		r.Stamps++
	case leftOutBulky:
		r.LeftOut++
	case leftOutUnused:
		r.Unused++
	}
	return kind == leftOutStamp
}

// add adds the hash of a value left out of the current item.
func (l *leftOut) add(place int, hash uint64) {
	key := &l.keys[place]
	l.sum += hash - key.hash
	key.hash = hash
	l.used = append(l.used, place)
}

// hash returns the hash of the value at i, equal to that of the attribute which [decoding.set] would make.
func (d *decoding) hash(seed eventrecord.Seed, i uint32) uint64 {
	switch t := &d.tokens[i]; t.kind {
	case kindText:
		return seed.Text(d.plain(t))
	case kindInteger:
		if n, ok := parseInteger(d.bytes(t)); ok {
			return seed.Int(n)
		}
		return seed.Text(d.bytes(t))
	case kindFloat:
		if f, err := strconv.ParseFloat(string(d.bytes(t)), 64); err == nil {
			return seed.Double(f)
		}
		return seed.Text(d.bytes(t))
	case kindTrue, kindFalse:
		return seed.Bool(t.kind == kindTrue)
	case kindObject:
		return seed.Map(d.hashMembers(i))
	case kindArray:
		element := seed.List()
		for next := i + 1; next < t.next; next = d.after(next) {
			element = eventrecord.Seed(d.hash(element, next))
		}
		return uint64(element)
	}
	return seed.Nothing()
}

// fewMembers is the size up to which the members of an object are compared pairwise to find equal keys.
const fewMembers = 16

// hashMembers returns the sum of the hashes of the members of the object at i, with only the last one of equal keys.
func (d *decoding) hashMembers(i uint32) (sum uint64) {
	own := &d.tokens[i]
	var members memberHashes
	for next := i + 1; next < own.next; {
		key, value := next, next+1
		next = d.after(value)
		if d.tokens[value].kind == kindNull {
			continue
		}
		seed := eventrecord.SeedOfBytes(d.plain(&d.tokens[key]))
		members.add(seed, d.hash(seed, value))
	}
	return members.sum
}

// memberHashes adds up the hashes of the members of an object, with only the last one of equal keys. The zero value is ready.
type memberHashes struct {
	sum  uint64
	few  [fewMembers]hashedMember
	size int
	// many replaces few when there are more.
	many map[eventrecord.Seed]uint64
}

func (m *memberHashes) add(key eventrecord.Seed, hash uint64) {
	m.sum += hash
	if m.many != nil {
		m.sum -= m.many[key]
		m.many[key] = hash
		return
	}
	for i := range m.few[:m.size] {
		if m.few[i].key == key {
			m.sum -= m.few[i].hash
			m.few[i].hash = hash
			return
		}
	}
	if m.size < fewMembers {
		m.few[m.size] = hashedMember{key, hash}
		m.size++
		return
	}
	m.many = map[eventrecord.Seed]uint64{key: hash}
	for _, member := range m.few {
		m.many[member.key] = member.hash
	}
}

// hashedMember is a member of an object with the hash of its key.
type hashedMember struct {
	key  eventrecord.Seed
	hash uint64
}
