// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"strconv"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// leftOut are the payload keys whose values are not decoded: bulky or personal ones, and those of the router's stamps, which no
// sender may write. Of a value left out only the hash is computed, so that the item's identity does not depend on what is left out.
type leftOut struct {
	places map[string]int
	keys   []leftOutKey
}

type leftOutKey struct {
	seed eventrecord.Seed
	// stamp means that the key is one of the router's, which is not part of an event.
	stamp bool
	// hash is the hash of the value in the current item; zero if absent.
	hash uint64
}

// kept is the index of a key that is not left out.
const kept = -1

func newLeftOut(payloadKeys []string) leftOut {
	l := leftOut{places: map[string]int{}}
	add := func(key string, stamp bool) {
		if _, known := l.places[key]; !known {
			l.places[key] = len(l.keys)
			l.keys = append(l.keys, leftOutKey{seed: eventrecord.SeedOf(lifecycle.AttributePrefix + key), stamp: stamp})
		}
	}
	for _, key := range eventrecord.Stamps() {
		add(key[len(lifecycle.AttributePrefix):], true)
	}
	for _, key := range payloadKeys {
		add(key, false)
	}
	return l
}

// placeOf returns the index of a payload key among those left out, or kept.
func (l *leftOut) placeOf(key []byte) int {
	if place, found := l.places[string(key)]; found {
		return place
	}
	return kept
}

// begin resets the state of the previous item.
func (l *leftOut) begin() {
	for i := range l.keys {
		l.keys[i].hash = 0
	}
}

// sum returns the sum of the hashes of the values left out of the current item.
func (l *leftOut) sum() (sum uint64) {
	for i := range l.keys {
		sum += l.keys[i].hash
	}
	return sum
}

// leave computes only the hash of the value at i, which is not null. Of values under the same key the last one counts, as with
// decoded ones.
func (d *decoding) leave(place int, i uint32) {
	key := &d.left.keys[place]
	if key.stamp {
		d.report.Stamps++
		return
	}
	d.report.LeftOut++
	key.hash = d.hash(key.seed, i)
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
	var room [fewMembers]hashedMember
	members, many := room[:0], map[eventrecord.Seed]uint64(nil)
	if own.size > fewMembers {
		many = make(map[eventrecord.Seed]uint64, own.size)
	}
	for next := i + 1; next < own.next; {
		key, value := next, next+1
		next = d.after(value)
		if d.tokens[value].kind == kindNull {
			continue
		}
		seed := eventrecord.SeedOfBytes(d.plain(&d.tokens[key]))
		hash := d.hash(seed, value)
		sum += hash
		if many != nil {
			sum -= many[seed]
			many[seed] = hash
			continue
		}
		known := 0
		for known < len(members) && members[known].key != seed {
			known++
		}
		if known < len(members) {
			sum -= members[known].hash
			members[known].hash = hash
		} else {
			members = append(members, hashedMember{seed, hash})
		}
	}
	return sum
}

// hashedMember is a member of an object with the hash of its key.
type hashedMember struct {
	key  eventrecord.Seed
	hash uint64
}
