// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// isolate reruns the program in a new network namespace. done is false if the kernel does not allow that.
func isolate(ctx context.Context) (code int, done bool) {
	for _, attributes := range []*syscall.SysProcAttr{
		{Cloneflags: syscall.CLONE_NEWNET},
		{ // without root, in a user namespace
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		},
	} {
		self := exec.CommandContext(ctx, "/proc/self/exe", os.Args[1:]...)
		self.Env = append(os.Environ(), isolatedEnv+"=1")
		self.Stdin, self.Stdout, self.Stderr = os.Stdin, os.Stdout, os.Stderr
		self.SysProcAttr = attributes
		self.Cancel = func() error { return self.Process.Signal(os.Interrupt) }
		if self.Start() != nil {
			continue
		}
		fmt.Fprintln(os.Stderr, "in a network namespace of its own")
		err := self.Wait()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return max(1, exit.ExitCode()), true
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1, true
		}
		return 0, true
	}
	fmt.Fprintln(os.Stderr, "without a network namespace: there are no rights for one")
	return 0, false
}

// loopbackUp activates the only interface of a new network namespace.
func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket) //nolint:errcheck // nothing is lost
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(socket, unix.SIOCGIFFLAGS, request); err != nil {
		return err
	}
	request.SetUint16(request.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
}
