// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package filestorage

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile"
	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/boltfile"
	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/writeahead"
)

const (
	asideInfix = ".set-aside-"
	// mostAside bounds the unreadable files kept per component.
	mostAside = 10
)

// inspect checks the file before the database opens it. An unreadable file is set aside. fresh is true if the component begins with
// an empty file. An error requires the operator.
func (s *store) inspect(marked bool) (fresh bool, err error) {
	if err := fsfile.Check(s.path); err != nil {
		return false, err
	}
	info, err := os.Lstat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if marked {
			s.lost("missing", "there is no file; it begins anew")
		}
		return true, nil
	case err != nil:
		return false, err
	case info.Size() == 0:
		if marked {
			s.lost("empty", "the file is empty; it begins anew")
		}
		return true, nil
	}
	summary, err := boltfile.Check(s.path, nil)
	var damage *boltfile.DamageError
	switch {
	case errors.As(err, &damage):
		return s.damaged(err)
	case errors.Is(err, boltfile.ErrChanged):
		return false, nil // another process is writing: opening the file reports it
	case err != nil:
		return false, fmt.Errorf("check %s: %w", s.path, err)
	case summary.HeadDamaged:
		s.lost("head", "one of the two heads of the file is damaged; it is used by the other one and may lack its latest write")
	}
	return false, nil
}

// damaged sets the file aside, unless another process has it open: then opening it reports that.
func (s *store) damaged(why error) (fresh bool, err error) {
	lock := flock.New(s.path)
	locked, err := lock.TryLock()
	if err != nil || !locked {
		return false, err
	}
	defer lock.Unlock() //nolint:errcheck // closing the file releases it
	aside, err := s.setAside()
	if err != nil {
		return false, fmt.Errorf("%s: %w; it can't be set aside: %w", s.path, why, err)
	}
	s.lost("damaged", why.Error()+"; it was set aside as "+aside+", and begins anew")
	return true, nil
}

// setAside renames the file, and removes the oldest ones set aside before when there are too many.
func (s *store) setAside() (name string, err error) {
	aside := s.path + asideInfix + time.Now().UTC().Format("20060102T150405.000000000Z")
	if err := os.Rename(s.path, aside); err != nil {
		return "", err
	}
	if err := os.Rename(writeahead.Path(s.path), writeahead.Path(aside)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	old, err := filepath.Glob(s.path + asideInfix + "*Z")
	if err != nil || len(old) <= mostAside {
		return aside, nil
	}
	slices.SortFunc(old, cmp.Compare[string]) // their names end with the time
	for _, file := range old[:len(old)-mostAside] {
		err := errors.Join(os.Remove(file), fsfile.Remove(writeahead.Path(file)))
		s.owner.log.Warn("Too many files have been set aside; the oldest is removed", zap.String("file", file), zap.Error(err))
	}
	return aside, nil
}
