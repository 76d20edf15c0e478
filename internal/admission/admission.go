// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package admission bounds the bytes of requests in flight in a receiver. The memory_limiter cannot do this, because it
// sees data only after it was read and decoded.
//
// A [Room] belongs to one receiver or extension, and a [Body] to one request. Except for those of a Body, methods may be called
// concurrently.
package admission

import (
	"errors"
	"io"
	"sync"
	"time"
)

// Errors of a body that is not read completely. Both are retryable.
var (
	ErrBusy = errors.New("the limit of bytes in flight is reached")
	ErrSlow = errors.New("the body arrived too slowly while other senders were waiting")
)

const (
	// paceWindow is the interval over which a body's transfer rate is measured.
	paceWindow = time.Second
	// leastPace, in bytes per second, is the rate at which a body is not evicted for another one.
	leastPace = 64 << 10
)

// Room bounds the bytes of all bodies in flight, from their arrival to the pipeline's answer.
//
// Only received bytes count: an announced length reserves nothing. If there is no room for another body, those slower than
// leastPace are evicted, slowest first, so that stalled senders cannot block others.
type Room struct {
	limit int64

	mu    sync.Mutex
	bytes int64
	// reading are the bodies that are not read to their end.
	reading map[*Body]struct{}
}

// Body is the share of one request. Its methods must be called from one goroutine. The room's mutex guards its fields.
type Body struct {
	room *Room
	from io.Reader
	// interrupt aborts a pending Read of the body.
	interrupt func()
	// own is the sum of received and claimed bytes.
	own     int64
	evicted bool

	// windowStart and windowBytes describe the current window; pace is the rate of the previous one, if measured.
	windowStart time.Time
	windowBytes int64
	pace        float64
	measured    bool
}

// New makes a room for limit bytes.
func New(limit int64) *Room { return &Room{limit: limit, reading: map[*Body]struct{}{}} }

// InFlight returns the number of bytes in flight.
func (r *Room) InFlight() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes
}

// Reading returns the number of bodies that are not read to their end.
func (r *Room) Reading() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.reading)
}

// Admit begins the share of a request. It returns nil if the room cannot hold the announced length, so that no body is read
// in part and then rejected. A request that is alone always has room, or one larger than the limit could never be accepted.
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

// makeRoom reports whether there is room for more bytes, after evicting slow bodies other than asking.
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

// slowest returns the slowest body that holds room and is slower than leastPace, or nil.
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

// paceAt returns the recent transfer rate, once it is measured.
func (s *Body) paceAt(now time.Time) (pace float64, measured bool) {
	if elapsed := now.Sub(s.windowStart); elapsed >= paceWindow {
		return float64(s.windowBytes) / elapsed.Seconds(), true
	}
	return s.pace, s.measured
}

// arrived counts received bytes.
func (s *Body) arrived(n int64, now time.Time) {
	s.own += n
	s.room.bytes += n
	if now.Sub(s.windowStart) >= paceWindow {
		s.pace, s.measured = s.paceAt(now)
		s.windowStart, s.windowBytes = now, 0
	}
	s.windowBytes += n
}

// leave releases the room. The mutex must be held. It may be called repeatedly.
func (s *Body) leave() {
	s.room.bytes -= s.own
	s.own = 0
	delete(s.room.reading, s)
}

// Read counts the bytes read. It fails with ErrBusy if the limit is exceeded, and with ErrSlow if the body was evicted.
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

// Claim reserves bytes beyond those received, such as the size of the decoded body. It returns false if there is no room; a
// request that is alone always has room.
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

// Done releases the room. Neither Read nor interrupt is called afterwards.
func (s *Body) Done() {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	s.leave()
}
