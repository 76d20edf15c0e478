package taskerevents

import (
	"errors"
	"io"
	"sync"
	"time"
)

// Why a body is not read to its end. The sender is asked to come back.
var (
	errBusy = errors.New("as many bytes of events are at work as max_in_flight_bytes allows")
	errSlow = errors.New("the body came too slowly while other senders were waiting for room within max_in_flight_bytes")
)

const (
	// paceWindow is the time over which the pace of a body is measured.
	paceWindow = time.Second
	// leastPace, in bytes per second, is that of a body that keeps its room when another one needs it.
	leastPace = 64 << 10
)

// admission bounds the bytes of all bodies that are at work, from their arrival to the answer of the pipeline. The
// memory_limiter cannot do this: it sees events only when they have been read and decoded, and by then they fill the memory.
//
// Only bytes that have arrived count: an announced length reserves nothing. When there is no room for another body, those
// that come slower than leastPace are given up for it, the slowest first, so that stalled senders cannot keep the others out.
type admission struct {
	limit int64

	mu    sync.Mutex
	bytes int64
	// reading are the bodies that have not come to their end.
	reading map[*admitted]struct{}
}

// admitted is the share of one request. Its methods are for one goroutine; its fields are guarded by the lock.
type admitted struct {
	*admission
	body io.Reader
	// interrupt ends a Read of the body that is under way.
	interrupt func()
	// own is what has arrived.
	own     int64
	evicted bool

	// windowStart and windowBytes are those of the present window; pace is that of the window before, if there was one.
	windowStart time.Time
	windowBytes int64
	pace        float64
	measured    bool
}

func newAdmission(limit int64) *admission {
	return &admission{limit: limit, reading: map[*admitted]struct{}{}}
}

// inFlight is the number of bytes at work.
func (a *admission) inFlight() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bytes
}

// admit begins the share of a request. It is nil when there is no room for the length that the sender announces, if it
// does: a body that is read in part and then given up would be of use to nobody. A request that comes alone always has
// room: else one that is larger than the limit could never be taken.
func (a *admission) admit(body io.Reader, announced int64, interrupt func()) *admitted {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if a.bytes > 0 && !a.makeRoom(max(announced, 1), nil, now) {
		return nil
	}
	share := &admitted{admission: a, body: body, interrupt: interrupt, windowStart: now}
	a.reading[share] = struct{}{}
	return share
}

// makeRoom reports whether there is room for more bytes, after slow bodies other than the asking one were given up for them.
func (a *admission) makeRoom(more int64, asking *admitted, now time.Time) bool {
	for a.bytes+more > a.limit {
		slowest := a.slowest(asking, now)
		if slowest == nil {
			return false
		}
		slowest.evicted = true
		slowest.leave()
		slowest.interrupt()
	}
	return true
}

// slowest is the body that comes slowest of those that hold room and come slower than leastPace, or nil.
func (a *admission) slowest(asking *admitted, now time.Time) *admitted {
	var slowest *admitted
	least := float64(leastPace)
	for share := range a.reading {
		if pace, measured := share.paceAt(now); share != asking && share.own > 0 && measured && pace < least {
			slowest, least = share, pace
		}
	}
	return slowest
}

// paceAt is how fast the body came lately, once that was measured.
func (s *admitted) paceAt(now time.Time) (pace float64, measured bool) {
	if elapsed := now.Sub(s.windowStart); elapsed >= paceWindow {
		return float64(s.windowBytes) / elapsed.Seconds(), true
	}
	return s.pace, s.measured
}

// arrived counts bytes that the body brought.
func (s *admitted) arrived(n int64, now time.Time) {
	s.own += n
	s.bytes += n
	if now.Sub(s.windowStart) >= paceWindow {
		s.pace, s.measured = s.paceAt(now)
		s.windowStart, s.windowBytes = now, 0
	}
	s.windowBytes += n
}

// leave gives the room back. It is called under the lock, and may be called again.
func (s *admitted) leave() {
	s.bytes -= s.own
	s.own = 0
	delete(s.reading, s)
}

// Read counts what the body brings. It fails with errBusy when that, with all other bodies, is too much, and with errSlow
// when the body was given up for another one.
func (s *admitted) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.evicted {
		return n, errSlow
	}
	now := time.Now()
	if alone := s.bytes == s.own; n > 0 && !alone && !s.makeRoom(int64(n), s, now) {
		return n, errBusy
	}
	s.arrived(int64(n), now)
	if err != nil {
		delete(s.reading, s)
	}
	return n, err
}

// done gives the room back. The body's Read is not called any more, nor interrupt.
func (s *admitted) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave()
}
