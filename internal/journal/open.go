package journal

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"

	bbolterrors "go.etcd.io/bbolt/errors"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// Owner is the component whose state a journal keeps.
type Owner struct {
	Kind component.Kind
	ID   component.ID
	// Name tells apart several journals of one component; usually empty.
	Name string
}

// attempts is how many files that can not be opened are passed over before the start fails.
const attempts = 10

// Open takes a client of the storage extension and reads what is there. A store that can not be opened because it is
// damaged or foreign is reported and left as it is, and another one is begun beside it: state that can not be read must
// not keep the collector from running. Any other failure, as of a directory that is not there or of a file that another
// process has open, is returned. Errors name the setting storage.
func Open(ctx context.Context, host component.Host, id component.ID, owner Owner, log *zap.Logger) (*Journal, error) {
	found, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("'storage' is %q: there is no such extension; define it under extensions and name it in service::extensions", id)
	}
	extension, ok := found.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("'storage' is %q: that extension stores nothing; name one that does, such as file_storage", id)
	}
	for attempt := range attempts {
		name := owner.Name
		if attempt > 0 {
			name += "after_damage_" + strconv.Itoa(attempt)
		}
		j, err := openStore(ctx, extension, owner, name, log)
		if err == nil {
			return j, nil
		}
		if !damaged(err) {
			return nil, fmt.Errorf("open the storage %q: %w", id, err)
		}
		log.Error("the stored state is damaged or foreign; it is left where it is, and the state begins anew beside it",
			zap.Stringer("storage", id), zap.String("name", name), zap.Error(err))
	}
	return nil, fmt.Errorf("open the storage %q: %d damaged stores are there already; remove them", id, attempts)
}

// errPanic is what a storage extension paniced with.
type errPanic struct{ value any }

func (e errPanic) Error() string { return fmt.Sprintf("the storage extension broke down: %v", e.value) }

// damaged tells whether the error means that what is stored can not be read, now or later.
func damaged(err error) bool {
	var broke errPanic
	return errors.As(err, &broke) || errors.Is(err, bbolterrors.ErrInvalid) || errors.Is(err, bbolterrors.ErrChecksum) ||
		errors.Is(err, bbolterrors.ErrVersionMismatch)
}

func openStore(ctx context.Context, extension storage.Extension, owner Owner, name string, log *zap.Logger) (*Journal, error) {
	client, err := client(ctx, extension, owner, name)
	if err != nil {
		return nil, err
	}
	j, err := attach(ctx, client, log)
	if err != nil {
		return nil, errors.Join(err, client.Close(ctx))
	}
	return j, nil
}

func client(ctx context.Context, extension storage.Extension, owner Owner, name string) (c storage.Client, err error) {
	if err := inspect(extension, owner, name); err != nil {
		return nil, err
	}
	defer guard(&err)()
	return extension.GetClient(ctx, owner.Kind, owner.ID, name)
}

// guard makes an error of a panic in the storage extension: the one behind file_storage panics where a page is damaged, and
// faults where the file is shorter than it should be.
func guard(err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		if value := recover(); value != nil {
			*err = errPanic{value}
		}
	}
}
