// Package assembly builds the tree of a Tasker task from its lifecycle events. It is plain Go: events and a clock in,
// trees of spans out. It knows no pdata, starts no goroutine and reads no clock of its own.
//
// Two ideas carry it:
//
//   - A task is a set of events. While it is open, events are only collected, each at most once, in whatever order they
//     arrive. [Assembler] owns the open tasks, their limits and their deadlines.
//   - A tree is a function of that set. When a task has ended and is quiet, its events are sorted by the time at which
//     they happened (order.go) and read once from front to back (runs.go, history.go). That yields runs, passes, batches
//     and attempts (model.go), and what is missing of them (gaps.go). They become spans (tree.go, levels.go, asides.go).
//     Arrival order, repetition and interleaving can not change the result, because the function never sees them.
//
// What remains of a released task is its tail: enough to number and link a rerun, and to recognise what comes late. For
// a while it is kept whole, because a late query or backoff is a span of its own (finished.go).
package assembly
