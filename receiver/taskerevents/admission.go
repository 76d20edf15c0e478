package taskerevents

import (
	"errors"
	"io"
	"sync/atomic"
)

// errBusy is what reading a body ends with when too much is at work already.
var errBusy = errors.New("as many bytes of events are at work as max_in_flight_bytes allows")

// admission bounds the bytes of all bodies that are at work, from the request's head to the answer of the pipeline. The
// memory_limiter cannot do this: it sees events only when they have been read and decoded, and by then they fill the memory.
type admission struct {
	limit int64
	bytes atomic.Int64
}

// admitted is the share of one request. Its methods are for one goroutine.
type admitted struct {
	*admission
	// own is what the request takes, and read what has come of it.
	own, read int64
	body      io.Reader
}

// admit makes room for the length that a sender announces, if it does, at once: bodies that are taken in part and then given
// up would be of use to nobody. It is nil when there is no room. A request that comes alone has room always: else one that is
// larger than the limit could never be taken.
func (a *admission) admit(body io.Reader, length int64) *admitted {
	own := max(length, 0)
	before := a.bytes.Add(own) - own
	if before > 0 && (before >= a.limit || before+own > a.limit) {
		a.bytes.Add(-own)
		return nil
	}
	return &admitted{admission: a, own: own, body: body}
}

// Read counts what the body brings beyond what was announced: it was, if at all, the length before inflating. It fails with
// errBusy when that, with all other bodies, is too much.
func (a *admitted) Read(p []byte) (int, error) {
	n, err := a.body.Read(p)
	a.read += int64(n)
	if more := a.read - a.own; more > 0 {
		a.own = a.read
		if total := a.bytes.Add(more); total > a.limit && total > a.own {
			return n, errBusy
		}
	}
	return n, err
}

// done gives the room back.
func (a *admitted) done() { a.bytes.Add(-a.own) }
