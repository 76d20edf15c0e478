// Package oplog is the form in which the connector's state is kept in a journal: as the changes that were made to it, in
// the order in which they were made, one entry a batch. A snapshot has the same form: the changes that make the state out
// of nothing.
//
// An entry is a byte with the version of this form and then changes, each a byte that tells its kind and its fields.
// Numbers are varints, times Unix nanoseconds, texts have their length before them, ids their fixed size.
package oplog
