// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package shares divides a bounded capacity among many owners so that no owner can use all of it.
//
// An owner may take more while it holds less than a quarter of what is free: the dynamic threshold by which network
// switches share buffer memory between ports. A single owner gets a fifth of the capacity, a second one with the same
// demand a fifth of the rest, and n owners that grow together 1/(n+4) each. What an owner holds is never revoked, and a few
// demanding owners leave capacity for others. Very many of them, one after the other, do not.
//
// The caller serializes all calls.
package shares

// portion is the divisor of the free capacity that an owner may hold.
const portion = 4

// Size is a number of items and their bytes.
type Size struct{ Items, Bytes int64 }

// Room is the shared capacity. It is not safe for concurrent use. Callers keep a Size per owner, which starts at zero.
type Room struct{ limit, used Size }

// New makes an empty room.
func New(limit Size) *Room { return &Room{limit: limit} }

// Used returns what all owners hold.
func (r *Room) Used() Size { return r.used }

// Take adds an item to an owner. It returns false if there is no room or the owner has reached its share.
func (r *Room) Take(owner *Size, bytes int64) bool {
	free := Size{r.limit.Items - r.used.Items, r.limit.Bytes - r.used.Bytes}
	if portion*owner.Items >= free.Items || portion*owner.Bytes >= free.Bytes || bytes > free.Bytes {
		return false
	}
	r.Add(owner, bytes)
	return true
}

// Add adds an item to an owner regardless of the limit, for items that exist already or that the caller cannot do without.
func (r *Room) Add(owner *Size, bytes int64) {
	owner.Items++
	owner.Bytes += bytes
	r.used.Items++
	r.used.Bytes += bytes
}

// Remove removes an item from an owner.
func (r *Room) Remove(owner *Size, bytes int64) {
	owner.Items--
	owner.Bytes -= bytes
	r.used.Items--
	r.used.Bytes -= bytes
}

// Resize changes the size of an owner's item. Growth is refused as Take refuses a new item.
func (r *Room) Resize(owner *Size, by int64) bool {
	free := r.limit.Bytes - r.used.Bytes
	if by > 0 && (portion*owner.Bytes >= free || by > free) {
		return false
	}
	owner.Bytes += by
	r.used.Bytes += by
	return true
}

// Over reports whether more is held than the limit less the fraction free of it. Only Add can exceed the limit.
func (r *Room) Over(free float64) bool {
	return float64(r.used.Items) > float64(r.limit.Items)*(1-free) || float64(r.used.Bytes) > float64(r.limit.Bytes)*(1-free)
}

// Part returns the fraction of the limit that an owner holds, of items or of bytes, whichever is greater.
func (r *Room) Part(owner Size) float64 {
	return max(float64(owner.Items)/float64(r.limit.Items), float64(owner.Bytes)/float64(r.limit.Bytes))
}
