// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package rowfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile"
)

// packer compresses rotated files in the background. A compressed file is created when it is complete and on disk, and only
// then is its source removed.
type packer struct {
	path        string
	compression Compression
	location    *time.Location // of the times in file names
	failed      func(error)

	wanted  chan struct{}
	one     sync.Mutex // held while compressing
	running sync.WaitGroup
}

func newPacker(path string, compression Compression, location *time.Location, failed func(error)) *packer {
	return &packer{path: path, compression: compression, location: location, failed: failed, wanted: make(chan struct{}, 1)}
}

// wake compresses rotated files in the background. At most one run is active and one is waiting.
func (p *packer) wake() {
	if p.compression == CompressionNone {
		return
	}
	select {
	case p.wanted <- struct{}{}:
		p.running.Go(func() {
			p.one.Lock()
			defer p.one.Unlock()
			<-p.wanted
			if err := p.pack(); err != nil {
				p.failed(err)
			}
		})
	default: // the waiting run will see it
	}
}

// wait returns when nothing is left to compress.
func (p *packer) wait() { p.running.Wait() }

func (p *packer) pack() error {
	old, err := oldFiles(p.path, p.location)
	if err != nil {
		return fmt.Errorf("compress rotated files of %s: %w", p.path, err)
	}
	var failures []error
	for _, o := range old {
		if o.packed {
			continue
		}
		if err := p.packOne(o.path); err != nil {
			failures = append(failures, fmt.Errorf("compress a rotated file: %w", err))
		}
	}
	return errors.Join(failures...)
}

func (p *packer) packOne(source string) error {
	in, err := fsfile.Open(source, os.O_RDONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil // removed by prune in the meantime
	}
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	info, err := in.Stat()
	if err != nil {
		return err
	}
	packed := fsfile.Atomic{Path: source + p.compression.suffix(), Mode: info.Mode().Perm()}
	if err := packed.Prepare(); err != nil {
		return err
	}
	if err := packed.Replace(func(w io.Writer) error {
		to, err := p.compression.pack(w)
		if err != nil {
			return err
		}
		if _, err := io.Copy(to, in); err != nil {
			return err
		}
		return to.Close()
	}); err != nil {
		return err
	}
	err = os.Remove(source)
	if errors.Is(err, os.ErrNotExist) { // as above; prune may also have removed the compressed file
		if err = os.Remove(packed.Path); errors.Is(err, os.ErrNotExist) {
			return nil
		}
	}
	return err
}
