// Package waterfall shows assembled tasks to people in a terminal, as a tree of spans over a common time axis, and to
// machines as JSON. It decides nothing about spans: everything it shows stands in the tree.
package waterfall
