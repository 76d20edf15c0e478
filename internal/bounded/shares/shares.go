// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package shares divides one bounded room among many owners, so that no owner can take all of it.
//
// An owner may take more while it holds less than a quarter of what is free: the dynamic threshold by which switches share
// the memory of their ports. One owner alone gets a fifth of the room, a second one as greedy a fifth of the rest, and n
// greedy owners that grow together an n+4th part each. What an owner holds is never taken away from it, so what exists
// goes on whoever comes later, and a few greedy owners leave room for others. Very many of them, one after the other, do not.
package shares

// portion is the part of what is free that an owner may hold.
const portion = 4

// Size is a number of items and their bytes.
type Size struct{ Items, Bytes int64 }

// Room is what owners share. It is not safe for concurrent use. Its owners are Sizes that belong to the caller and start at
// zero.
type Room struct{ limit, used Size }

// New makes an empty room.
func New(limit Size) *Room { return &Room{limit: limit} }

// Used returns what all owners hold.
func (r *Room) Used() Size { return r.used }

// Take adds an item to what an owner holds, unless there is no room for it or the owner has its share.
func (r *Room) Take(owner *Size, bytes int64) bool {
	free := Size{r.limit.Items - r.used.Items, r.limit.Bytes - r.used.Bytes}
	if portion*owner.Items >= free.Items || portion*owner.Bytes >= free.Bytes || bytes > free.Bytes {
		return false
	}
	r.Add(owner, bytes)
	return true
}

// Add adds an item to what an owner holds, whatever the limit is: one that exists already, or one without which the caller
// cannot do.
func (r *Room) Add(owner *Size, bytes int64) {
	owner.Items++
	owner.Bytes += bytes
	r.used.Items++
	r.used.Bytes += bytes
}

// Remove takes an item off what an owner holds.
func (r *Room) Remove(owner *Size, bytes int64) {
	owner.Items--
	owner.Bytes -= bytes
	r.used.Items--
	r.used.Bytes -= bytes
}

// Resize changes the bytes of an item that an owner holds. More of them are refused as they are to a new item.
func (r *Room) Resize(owner *Size, by int64) bool {
	free := r.limit.Bytes - r.used.Bytes
	if by > 0 && (portion*owner.Bytes >= free || by > free) {
		return false
	}
	owner.Bytes += by
	r.used.Bytes += by
	return true
}

// Over reports whether more is held than the limit allows, or, with a part of the limit that is to be left free, than the
// rest of it allows. It can be so only by Add.
func (r *Room) Over(free float64) bool {
	return float64(r.used.Items) > float64(r.limit.Items)*(1-free) || float64(r.used.Bytes) > float64(r.limit.Bytes)*(1-free)
}

// Part returns which part of the limit an owner holds, of items or of bytes, whichever is more.
func (r *Room) Part(owner Size) float64 {
	return max(float64(owner.Items)/float64(r.limit.Items), float64(owner.Bytes)/float64(r.limit.Bytes))
}
