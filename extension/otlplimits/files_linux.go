// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package otlplimits

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// files watches how many of its files the process has open. The collector's receivers have no limit of connections and no way to
// add one, so silent connections can use up all files; then no receiver accepts connections any more.
//
// The kernel reports how long a connection has been silent. A connection is closed by shutting its socket down, which its server
// sees as a closed peer. Servers own their descriptors and may close them at any time: only a duplicate is used, after it was
// checked again.
type files struct {
	open  *os.File // /proc/self/fd, opened early, while files are available
	null  int      // reserves the descriptor for the duplicate: there may be no other
	spare int
}

// newFiles returns nil, without an error, if the system does not report open files.
func newFiles() (*files, error) {
	open, err := os.Open("/proc/self/fd")
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // nothing to watch
	}
	if err != nil {
		return nil, err
	}
	f := &files{open: open, null: -1, spare: -1}
	for _, at := range []*int{&f.null, &f.spare} {
		if *at, err = unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			return nil, errors.Join(err, f.close())
		}
	}
	return f, nil
}

func (f *files) close() error {
	err := f.open.Close()
	for _, at := range []int{f.null, f.spare} {
		if at >= 0 {
			err = errors.Join(err, unix.Close(at))
		}
	}
	return err
}

// socket is an open socket of the process.
type socket struct {
	descriptor, port int
	listens          bool
	silent           time.Duration // since the last data in either direction
}

// minSilence is how long a connection must have been silent to be closed.
const minSilence = time.Second

// closeSilent closes connections to servers of the process, longest silent first, until no more than most files are
// open. It returns how many it closed.
func (f *files) closeSilent(most int) (closed int, err error) {
	if _, err := f.open.Seek(0, 0); err != nil {
		return 0, err
	}
	names, err := f.open.Readdirnames(-1)
	if err != nil || len(names) <= most {
		return 0, err
	}
	var connections []socket
	served := map[int]bool{} // ports
	for _, name := range names {
		descriptor, _ := strconv.Atoi(name)
		switch s, is := socketOf(descriptor); {
		case is && s.listens:
			served[s.port] = true
		case is:
			connections = append(connections, s)
		}
	}
	slices.SortFunc(connections, func(a, b socket) int { return cmp.Compare(b.silent, a.silent) })
	for _, s := range connections {
		if len(names)-closed <= most || s.silent < minSilence {
			break
		}
		if served[s.port] && f.shut(s) {
			closed++
		}
	}
	return closed, nil
}

// shut closes a connection, if the descriptor is still one that is as silent.
func (f *files) shut(s socket) bool {
	if unix.Dup3(s.descriptor, f.spare, unix.O_CLOEXEC) != nil {
		return false
	}
	defer func() { _ = unix.Dup3(f.null, f.spare, unix.O_CLOEXEC) }() // releases the socket
	again, is := socketOf(f.spare)
	return is && !again.listens && again.port == s.port && again.silent >= s.silent && unix.Shutdown(f.spare, unix.SHUT_RDWR) == nil
}

// socketOf examines a descriptor. It returns false if that is not a TCP socket.
func socketOf(descriptor int) (s socket, is bool) {
	s.descriptor = descriptor
	address, err := unix.Getsockname(descriptor)
	if err != nil {
		return s, false
	}
	switch local := address.(type) {
	case *unix.SockaddrInet4:
		s.port = local.Port
	case *unix.SockaddrInet6:
		s.port = local.Port
	default:
		return s, false
	}
	info, err := unix.GetsockoptTCPInfo(descriptor, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return s, false
	}
	const listening = 10 // TCP_LISTEN
	s.listens = info.State == listening
	s.silent = time.Duration(min(info.Last_data_recv, info.Last_data_sent)) * time.Millisecond
	return s, true
}

// limitOfFiles returns how many files the process may have open, or 0 if unknown.
func limitOfFiles() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil || limit.Cur > 1<<30 {
		return 0
	}
	return int(limit.Cur)
}
