// Package inprocess tests the components together in one process, on a fake clock: what takes hours happens in a moment.
package inprocess
