// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// connections bounds the open connections of a server. At the limit the one that has been without a request for the longest
// time is closed for a new one; where all have requests, the new one is closed. Otherwise a sender that opens connections and
// keeps them takes the files of the process, and nobody else is accepted.
type connections struct {
	limit  int
	closed func()

	mu   sync.Mutex
	open map[net.Conn]*list.Element // nil while there is a request
	// waiting are the connections without a request, the longest waiting first.
	waiting *list.List
}

// newConnections makes a bound; closed is called for each connection that is closed because of it.
func newConnections(limit int, closed func()) *connections {
	return &connections{limit: limit, closed: closed, open: map[net.Conn]*list.Element{}, waiting: list.New()}
}

// changed is the server's ConnState.
func (c *connections) changed(connection net.Conn, state http.ConnState) {
	if surplus := c.change(connection, state); surplus != nil {
		c.closed()
		_ = surplus.Close() // the server notes that it has gone
	}
}

// closeWaiting closes the connections without a request. A server that shuts down gives new ones five seconds to send their
// first one; meanwhile the components behind it wait for events that cannot come.
func (c *connections) closeWaiting() {
	c.mu.Lock()
	var waiting []net.Conn
	for element := c.waiting.Front(); element != nil; element = element.Next() {
		waiting = append(waiting, element.Value.(net.Conn))
	}
	c.mu.Unlock()
	for _, connection := range waiting {
		_ = connection.Close() // the server notes that it has gone
	}
}

// change notes a state, and returns the connection to close, if there is one too many.
func (c *connections) change(connection net.Conn, state http.ConnState) (surplus net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, known := c.open[connection]
	if element != nil {
		c.waiting.Remove(element)
	}
	switch state {
	case http.StateNew:
		if len(c.open) >= c.limit {
			longest := c.waiting.Front()
			if longest == nil {
				return connection
			}
			surplus = c.waiting.Remove(longest).(net.Conn)
			delete(c.open, surplus)
		}
		c.open[connection] = c.waiting.PushBack(connection)
	case http.StateIdle:
		if known {
			c.open[connection] = c.waiting.PushBack(connection)
		}
	case http.StateActive:
		if known {
			c.open[connection] = nil
		}
	default:
		delete(c.open, connection)
	}
	return surplus
}
