package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// inspect looks whether the file that file_storage would open can be read at all. It must be known before: the database
// behind it reads a file whose pages are damaged in a goroutine of its own, whose panic nobody can catch.
//
// The error is nil when there is no such file, when it is sound, and when the extension keeps no such files; whatever else
// may be wrong with it, GetClient tells.
func inspect(extension storage.Extension, owner Owner, name string) (err error) {
	directory, ok := directoryOf(extension)
	if !ok {
		return nil
	}
	path := filepath.Join(directory, fileName(owner, name))
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	defer guard(&err)()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if damaged(err) {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if err != nil {
		return nil
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.View(func(tx *bbolt.Tx) error {
		if tx.Size() > info.Size() {
			return errPanic{fmt.Sprintf("%s has %d bytes and should have %d", path, info.Size(), tx.Size())}
		}
		return tx.ForEach(func(_ []byte, bucket *bbolt.Bucket) error {
			return bucket.ForEach(func([]byte, []byte) error { return nil })
		})
	})
}

// directoryOf is where a file_storage keeps its files. The extension does not tell, so its configuration is looked at; one
// of another make has none.
func directoryOf(extension storage.Extension) (string, bool) {
	made := reflect.ValueOf(extension)
	if made.Kind() != reflect.Pointer || made.Elem().Kind() != reflect.Struct {
		return "", false
	}
	config := made.Elem().FieldByName("cfg")
	if config.Kind() != reflect.Pointer || config.Elem().Kind() != reflect.Struct {
		return "", false
	}
	directory := config.Elem().FieldByName("Directory")
	if directory.Kind() != reflect.String {
		return "", false
	}
	return directory.String(), true
}

// fileName is how file_storage names a component's file.
func fileName(owner Owner, name string) string {
	parts := []string{strings.ToLower(owner.Kind.String()), owner.ID.Type().String(), owner.ID.Name()}
	if name != "" {
		parts = append(parts, name)
	}
	var safe strings.Builder
	for _, r := range strings.Join(parts, "_") {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._-", r):
			safe.WriteRune(r)
		default:
			fmt.Fprintf(&safe, "~%04X", r)
		}
	}
	return safe.String()
}
