// Package treedata is the thin layer between pdata and [assembly]: it reads event spans and event records into events,
// and writes trees as spans. It decides nothing.
package treedata
