// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package packaging

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// streams returns the gzip streams of a file, each compressed and uncompressed.
func streams(t *testing.T, file []byte) (packed, unpacked [][]byte) {
	t.Helper()
	in := bytes.NewReader(file) // a ByteReader, so that gzip does not read beyond a stream
	for in.Len() > 0 {
		began := len(file) - in.Len()
		stream, err := gzip.NewReader(in)
		require.NoError(t, err)
		stream.Multistream(false)
		content, err := io.ReadAll(stream)
		require.NoError(t, err)
		packed, unpacked = append(packed, file[began:len(file)-in.Len()]), append(unpacked, content)
	}
	return packed, unpacked
}

// TestAlpinePackageIsWellFormed checks that apk can verify the package: a stream with the description and the scripts,
// without an end-of-archive marker, and a stream with the files. The description has the checksum of the latter, and each
// file its own.
func TestAlpinePackageIsWellFormed(t *testing.T) {
	file, err := os.ReadFile(pack(t, "apk", "1.0.0", stage(t, "apk", small(t))))
	require.NoError(t, err)
	packed, unpacked := streams(t, file)
	require.Len(t, packed, 2, "control and data; a signature would be a third, at the front")

	control := map[string]string{}
	for in := tar.NewReader(bytes.NewReader(unpacked[0])); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // no end-of-archive marker: data follows
			break
		}
		require.NoError(t, err)
		content, err := io.ReadAll(in)
		require.NoError(t, err)
		control[header.Name] = string(content)
		if header.Name != ".PKGINFO" {
			assert.EqualValues(t, 0o755, header.Mode&0o777, header.Name)
			assert.True(t, strings.HasPrefix(string(content), "#!/bin/sh\n"), header.Name)
		}
	}
	sum := sha256.Sum256(packed[1])
	assert.Contains(t, control[".PKGINFO"], "datahash = "+hex.EncodeToString(sum[:])+"\n")
	for _, script := range []string{".pre-install", ".pre-upgrade", ".post-upgrade", ".pre-deinstall"} {
		assert.NotEmpty(t, control[script], script)
	}

	regular := 0
	for in := tar.NewReader(bytes.NewReader(unpacked[1])); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		assert.Zero(t, header.Uid+header.Gid, header.Name)
		assert.False(t, strings.HasPrefix(header.Name, "/"), header.Name)
		if header.Typeflag != tar.TypeReg {
			continue
		}
		regular++
		content, err := io.ReadAll(in)
		require.NoError(t, err)
		sum := sha1.Sum(content) //nolint:gosec // required by apk
		assert.Equal(t, hex.EncodeToString(sum[:]), header.PAXRecords["APK-TOOLS.checksum.SHA1"], header.Name)
	}
	assert.Greater(t, regular, 20)
}
