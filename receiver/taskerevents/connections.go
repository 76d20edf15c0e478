// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// connections bounds the open connections of a server. At the limit the one longest without a request is closed for a new one; if
// all have requests, the new one is closed. Otherwise a sender that keeps many connections open uses up the process's files, and no
// other is accepted.
type connections struct {
	limit  int
	closed func()

	mu   sync.Mutex
	open map[net.Conn]*list.Element // nil while there is a request
	// waiting are the connections without a request, the longest waiting first.
	waiting *list.List
}

// newConnections makes a limit; closed is called for each connection closed because of it.
func newConnections(limit int, closed func()) *connections {
	return &connections{limit: limit, closed: closed, open: map[net.Conn]*list.Element{}, waiting: list.New()}
}

// changed is the server's ConnState callback.
func (c *connections) changed(connection net.Conn, state http.ConnState) {
	if surplus := c.change(connection, state); surplus != nil {
		c.closed()
		_ = surplus.Close() // the server notices
	}
}

// closeWaiting closes the connections without a request. A server that shuts down gives new ones five seconds for their first
// request; meanwhile the next components wait for events that cannot arrive.
func (c *connections) closeWaiting() {
	c.mu.Lock()
	var waiting []net.Conn
	for element := c.waiting.Front(); element != nil; element = element.Next() {
		waiting = append(waiting, element.Value.(net.Conn))
	}
	c.mu.Unlock()
	for _, connection := range waiting {
		_ = connection.Close() // the server notices
	}
}

// change records a state, and returns the connection to close, if the limit is exceeded.
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
