// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package boltfile

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// options returns those of file_storage.
func options() *bbolt.Options {
	return &bbolt.Options{NoSync: true, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType}
}

// written returns a file with random keys, some of which were deleted or overwritten.
func written(t testing.TB, random *rand.Rand, keys, size int) (path string, content map[string]string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file")
	db, err := bbolt.Open(path, 0o600, options())
	require.NoError(t, err)
	content = map[string]string{}
	for len(content) < keys {
		require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists([]byte("default"))
			require.NoError(t, err)
			for range 50 {
				key, value := fmt.Sprintf("key/%06x", random.IntN(4*keys+1)), string(bytes.Repeat([]byte{byte(random.Uint32())}, random.IntN(size)))
				if random.IntN(4) == 0 {
					delete(content, key)
					require.NoError(t, bucket.Delete([]byte(key)))
					continue
				}
				content[key] = value
				require.NoError(t, bucket.Put([]byte(key), []byte(value)))
			}
			return nil
		}))
	}
	require.NoError(t, db.Close())
	return path, content
}

func TestCheckReadsWhatTheDatabaseWrote(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for _, shape := range []struct{ keys, size int }{{0, 1}, {1, 10}, {20, 10}, {3000, 40}, {300, 30_000}} {
		path, want := written(t, random, shape.keys, shape.size)
		got := map[string]string{}
		summary, err := Check(path, func(bucket, key, value []byte) error {
			assert.Equal(t, "default", string(bucket))
			got[string(key)] = string(value)
			return nil
		})
		require.NoError(t, err)
		assert.True(t, maps.Equal(want, got), "%d keys, want %d", len(got), len(want))
		assert.Equal(t, Summary{Keys: len(want)}, summary)
	}
	path := filepath.Join(t.TempDir(), "new")
	db, err := bbolt.Open(path, 0o600, options())
	require.NoError(t, err)
	require.NoError(t, db.Close())
	summary, err := Check(path, nil)
	require.NoError(t, err, "a file that nobody has written to, with a list of free pages")
	assert.Zero(t, summary)
}

func TestDamageIsNamed(t *testing.T) {
	path, _ := written(t, rand.New(rand.NewPCG(2, 1)), 500, 40)
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	second := os.Getpagesize()
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"empty":           {nil, "it is empty"},
		"foreign":         {bytes.Repeat([]byte("somebody's diary\n"), 5000), "its head is not that of a database"},
		"short":           {good[:40], "its head is cut"},
		"cut":             {good[:len(good)/3], "and should have"},
		"garbage at head": {append(bytes.Repeat([]byte{0xA5}, 2*second), good[2*second:]...), "its head is not that of a database"},
		"garbage behind":  {append(bytes.Clone(good[:2*second]), bytes.Repeat([]byte{0xA5}, len(good)-2*second)...), "says that it is page"},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(path, c.content, 0o600))
			_, err := Check(path, nil)
			var damage *DamageError
			require.ErrorAs(t, err, &damage)
			require.ErrorContains(t, err, c.want)
		})
	}
	sound := 0
	for head := range 2 {
		torn := bytes.Clone(good)
		copy(torn[head*second:], make([]byte, second))
		require.NoError(t, os.WriteFile(path, torn, 0o600))
		summary, err := Check(path, nil)
		if err == nil {
			sound++
			assert.True(t, summary.HeadDamaged)
		}
	}
	assert.Positive(t, sound, "the newer head is enough")
	_, err = Check(filepath.Join(t.TempDir(), "none"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestTheDatabaseOpensWhatPassed: the database can read any damaged file that Check accepts; otherwise its panic ends this test.
func TestTheDatabaseOpensWhatPassed(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 1))
	accepted, rejected := 0, 0
	for _, shape := range []struct{ keys, size int }{{3, 20}, {800, 60}, {100, 9000}} {
		path, _ := written(t, random, shape.keys, shape.size)
		good, err := os.ReadFile(path)
		require.NoError(t, err)
		for range 400 {
			require.NoError(t, os.WriteFile(path, damage(random, bytes.Clone(good)), 0o600))
			if _, err := Check(path, nil); err != nil {
				rejected++
				continue
			}
			accepted++
			db, err := bbolt.Open(path, 0o600, options())
			require.NoError(t, err)
			require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
				return tx.ForEach(func(name []byte, bucket *bbolt.Bucket) error {
					require.NoError(t, bucket.ForEach(func(_, _ []byte) error { return nil }))
					return bucket.Put([]byte("another "+string(name)), make([]byte, 100))
				})
			}))
			require.NoError(t, db.View(func(tx *bbolt.Tx) error {
				for problem := range tx.Check() {
					t.Error(problem)
				}
				return nil
			}))
			require.NoError(t, db.Close())
		}
	}
	t.Logf("%d accepted, %d rejected", accepted, rejected)
	assert.Positive(t, accepted)
	assert.Positive(t, rejected)
}

// damage simulates a broken disk, an interrupted copy or an accidental edit.
func damage(random *rand.Rand, data []byte) []byte {
	page := os.Getpagesize()
	switch random.IntN(6) {
	case 0: // a few bytes anywhere
		for range 1 + random.IntN(8) {
			data[random.IntN(len(data))] = byte(random.Uint32())
		}
	case 1: // in the structure of a page
		at := random.IntN(len(data)/page) * page
		for range 1 + random.IntN(3) {
			data[at+random.IntN(160)] ^= 1 << random.IntN(8)
		}
	case 2: // a page of zeros
		clear(data[random.IntN(len(data)/page)*page:][:page])
	case 3: // truncated
		data = data[:random.IntN(len(data))]
	case 4: // a page is another one
		copy(data[random.IntN(len(data)/page)*page:], data[random.IntN(len(data)/page)*page:][:page])
	case 5: // the end is older
		at := random.IntN(len(data)/page) * page
		clear(data[at:])
	}
	return data
}

// FuzzCheck: whatever the file holds, reading gives keys or an error.
func FuzzCheck(f *testing.F) {
	path, _ := written(f, rand.New(rand.NewPCG(4, 1)), 3, 20)
	good, err := os.ReadFile(path)
	require.NoError(f, err)
	f.Add(good)
	f.Add(good[:5000])
	path = filepath.Join(f.TempDir(), "file")
	f.Fuzz(func(t *testing.T, data []byte) {
		require.NoError(t, os.WriteFile(path, data, 0o600))
		_, _ = Check(path, func(_, _, _ []byte) error { return nil })
	})
}
