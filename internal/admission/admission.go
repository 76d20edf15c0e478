// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package admission bounds the bytes of requests that are at work in a receiver. The memory_limiter cannot do this: it sees
// data only when it has been read and decoded, and by then it fills the memory.
package admission

import (
	"errors"
	"io"
	"sync"
	"time"
)

// Why a body is not read to its end. The sender is asked to come back.
var (
	ErrBusy = errors.New("as many bytes are at work as the limit allows")
	ErrSlow = errors.New("the body came too slowly while other senders were waiting for room")
)

const (
	// paceWindow is the time over which the pace of a body is measured.
	paceWindow = time.Second
	// leastPace, in bytes per second, is that of a body that keeps its room when another one needs it.
	leastPace = 64 << 10
)

// Room bounds the bytes of all bodies that are at work, from their arrival to the answer of the pipeline.
//
// Only bytes that have arrived count: an announced length reserves nothing. When there is no room for another body, those
// that come slower than leastPace are given up for it, the slowest first, so that stalled senders cannot keep the others out.
type Room struct {
	limit int64

	mu    sync.Mutex
	bytes int64
	// reading are the bodies that have not come to their end.
	reading map[*Body]struct{}
}

// Body is the share of one request. Its methods are for one goroutine; its fields are guarded by the lock of the room.
type Body struct {
	room *Room
	from io.Reader
	// interrupt ends a Read of the body that is under way.
	interrupt func()
	// own is what has arrived and was claimed.
	own     int64
	evicted bool

	// windowStart and windowBytes are those of the present window; pace is that of the window before, if there was one.
	windowStart time.Time
	windowBytes int64
	pace        float64
	measured    bool
}

// New makes a room for so many bytes.
func New(limit int64) *Room { return &Room{limit: limit, reading: map[*Body]struct{}{}} }

// InFlight returns the number of bytes at work.
func (r *Room) InFlight() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes
}

// Reading returns the number of bodies that have not come to their end.
func (r *Room) Reading() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.reading)
}

// Admit begins the share of a request. It is nil when there is no room for the length that the sender announces, if it
// does: a body that is read in part and then given up would be of use to nobody. A request that comes alone always has
// room: else one that is larger than the limit could never be taken.
func (r *Room) Admit(body io.Reader, announced int64, interrupt func()) *Body {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if r.bytes > 0 && !r.makeRoom(max(announced, 1), nil, now) {
		return nil
	}
	share := &Body{room: r, from: body, interrupt: interrupt, windowStart: now}
	r.reading[share] = struct{}{}
	return share
}

// makeRoom reports whether there is room for more bytes, after slow bodies other than the asking one were given up for them.
func (r *Room) makeRoom(more int64, asking *Body, now time.Time) bool {
	for r.bytes+more > r.limit {
		slowest := r.slowest(asking, now)
		if slowest == nil {
			return false
		}
		slowest.evicted = true
		slowest.leave()
		slowest.interrupt()
	}
	return true
}

// slowest returns the body that comes slowest of those that hold room and come slower than leastPace, or nil.
func (r *Room) slowest(asking *Body, now time.Time) *Body {
	var slowest *Body
	least := float64(leastPace)
	for share := range r.reading {
		if pace, measured := share.paceAt(now); share != asking && share.own > 0 && measured && pace < least {
			slowest, least = share, pace
		}
	}
	return slowest
}

// paceAt returns how fast the body came lately, once that was measured.
func (s *Body) paceAt(now time.Time) (pace float64, measured bool) {
	if elapsed := now.Sub(s.windowStart); elapsed >= paceWindow {
		return float64(s.windowBytes) / elapsed.Seconds(), true
	}
	return s.pace, s.measured
}

// arrived counts bytes that the body brought.
func (s *Body) arrived(n int64, now time.Time) {
	s.own += n
	s.room.bytes += n
	if now.Sub(s.windowStart) >= paceWindow {
		s.pace, s.measured = s.paceAt(now)
		s.windowStart, s.windowBytes = now, 0
	}
	s.windowBytes += n
}

// leave gives the room back. It is called under the lock, and may be called again.
func (s *Body) leave() {
	s.room.bytes -= s.own
	s.own = 0
	delete(s.room.reading, s)
}

// Read counts what the body brings. It fails with ErrBusy when that, with all other bodies, is too much, and with ErrSlow
// when the body was given up for another one.
func (s *Body) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	if s.evicted {
		return n, ErrSlow
	}
	now := time.Now()
	if alone := s.room.bytes == s.own; n > 0 && !alone && !s.room.makeRoom(int64(n), s, now) {
		return n, ErrBusy
	}
	s.arrived(int64(n), now)
	if err != nil {
		delete(s.room.reading, s)
	}
	return n, err
}

// Claim takes room for more than what has arrived, such as what the body will be when it is decoded. It is false when there
// is none; a request that is alone always has room.
func (s *Body) Claim(more int64) bool {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	if alone := s.room.bytes == s.own; !alone && !s.room.makeRoom(more, s, time.Now()) {
		return false
	}
	delete(s.room.reading, s)
	s.own += more
	s.room.bytes += more
	return true
}

// Done gives the room back. The body's Read is not called any more, nor interrupt.
func (s *Body) Done() {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	s.leave()
}
