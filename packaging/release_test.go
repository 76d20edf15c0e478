// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package packaging

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// released returns the directory that make release has filled.
func released(t *testing.T) string {
	t.Helper()
	dist := os.Getenv("TASKER_DIST")
	if dist == "" {
		t.Skip("needs a release in dist/ (make release check-release)")
	}
	return dist
}

// archiveName matches the version, the system and the architecture.
var archiveName = regexp.MustCompile(`^otelcol-tasker_(.+)_(linux|darwin|windows)_(amd64|arm64)\.(tar\.gz|zip)$`)

// releasedArchives returns the archives of a release, by system and architecture, and its version.
func releasedArchives(t *testing.T, dist string) (archives map[string]string, version string) {
	t.Helper()
	entries, err := os.ReadDir(dist)
	require.NoError(t, err)
	archives = map[string]string{}
	for _, entry := range entries {
		if name := archiveName.FindStringSubmatch(entry.Name()); name != nil {
			archives[name[2]+"/"+name[3]] = filepath.Join(dist, entry.Name())
			version = name[1]
		}
	}
	require.NotEmpty(t, archives)
	return archives, version
}

// TestReleaseChecksums checks that checksums.txt has a correct entry for every other file of the release.
func TestReleaseChecksums(t *testing.T) {
	dist := released(t)
	text, err := os.ReadFile(filepath.Join(dist, "checksums.txt"))
	require.NoError(t, err)
	want := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, name, found := strings.Cut(strings.TrimSpace(line), "  ")
		require.True(t, found, line)
		want[name] = sum
	}
	entries, err := os.ReadDir(dist)
	require.NoError(t, err)
	got := map[string]string{}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dist, entry.Name()))
		require.NoError(t, err)
		if sum := sha256.Sum256(content); entry.Name() != "checksums.txt" {
			got[entry.Name()] = hex.EncodeToString(sum[:])
		}
	}
	assert.Equal(t, want, got)
}

// TestReleaseArchives checks that each target has an archive with static programs for it and their other
// files. A release of fewer targets has fewer archives.
func TestReleaseArchives(t *testing.T) {
	archives, version := releasedArchives(t, released(t))
	for target, path := range archives {
		t.Run(target, func(t *testing.T) {
			files := readArchive(t, path)
			system, architecture, _ := strings.Cut(target, "/")
			folder := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".tar.gz"), ".zip") + "/"
			for _, want := range []string{"README.md", "LICENSE", "CHANGELOG.md", "config.yaml", "otelcol/standalone.yaml", "otelcol/secure.yaml",
				"otelcol/tls.yaml", "completions/taskerotel.bash", "completions/taskerotel.powershell", "man/taskerotel.1", "man/taskerotel-export.1"} {
				assert.NotEmpty(t, files[folder+want], want)
			}
			for _, program := range []string{"otelcol-tasker", "taskerotel"} {
				if system == "windows" {
					program += ".exe"
				}
				content := files[folder+program]
				require.NotEmpty(t, content, program)
				assert.Equal(t, target, targetOf(t, content), program)
				assert.Contains(t, string(content), version+"|", "the version that --version prints")
				assert.NotContains(t, string(content), os.Getenv("HOME")+"/go/", "no path of the machine that built it")
			}
			assert.Contains(t, []string{"amd64", "arm64"}, architecture)
		})
	}
}

// readArchive reads the files of a .tar.gz or a .zip.
func readArchive(t *testing.T, path string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	if strings.HasSuffix(path, ".zip") {
		reader, err := zip.OpenReader(path)
		require.NoError(t, err)
		defer reader.Close()
		for _, f := range reader.File {
			content, err := f.Open()
			require.NoError(t, err)
			files[f.Name], err = io.ReadAll(content)
			require.NoError(t, err)
		}
		return files
	}
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	packed, err := gzip.NewReader(file)
	require.NoError(t, err)
	for in := tar.NewReader(packed); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		require.NoError(t, err)
		assert.Zero(t, header.Uid+header.Gid, "%s is of root", header.Name)
		files[header.Name], err = io.ReadAll(in)
		require.NoError(t, err)
	}
}

// targetOf returns the system and the architecture of a program. A Linux program must be static.
func targetOf(t *testing.T, program []byte) string {
	t.Helper()
	if file, err := elf.NewFile(bytes.NewReader(program)); err == nil {
		for _, segment := range file.Progs {
			assert.NotEqual(t, elf.PT_INTERP, segment.Type, "it is static")
		}
		return "linux/" + map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}[file.Machine]
	}
	if file, err := macho.NewFile(bytes.NewReader(program)); err == nil {
		return "darwin/" + map[macho.Cpu]string{macho.CpuAmd64: "amd64", macho.CpuArm64: "arm64"}[file.Cpu]
	}
	file, err := pe.NewFile(bytes.NewReader(program))
	require.NoError(t, err, "neither ELF nor Mach-O nor PE")
	return "windows/" + map[uint16]string{pe.IMAGE_FILE_MACHINE_AMD64: "amd64", pe.IMAGE_FILE_MACHINE_ARM64: "arm64"}[file.Machine]
}

// TestReleaseSBOMs checks that each program of each target has a CycloneDX SBOM with its modules and without the
// time or place of the build.
func TestReleaseSBOMs(t *testing.T) {
	dist := released(t)
	archives, version := releasedArchives(t, dist)
	for target := range archives {
		for program, module := range map[string]string{
			"otelcol-tasker": "go.opentelemetry.io/collector/service", "taskerotel": "github.com/spf13/cobra",
		} {
			text, err := os.ReadFile(filepath.Join(dist, program+"_"+version+"_"+strings.ReplaceAll(target, "/", "_")+".cdx.json"))
			require.NoError(t, err)
			var bom struct {
				Format     string `json:"bomFormat"`
				Spec       string `json:"specVersion"`
				Serial     string `json:"serialNumber"`
				Components []struct {
					Name    string `json:"name"`
					Version string `json:"version"`
					PURL    string `json:"purl"`
				} `json:"components"`
				Metadata struct {
					Component struct {
						Version string `json:"version"`
					} `json:"component"`
				} `json:"metadata"`
			}
			require.NoError(t, json.Unmarshal(text, &bom))
			assert.Equal(t, []string{"CycloneDX", "1.6", "", "v" + version}, []string{bom.Format, bom.Spec, bom.Serial, bom.Metadata.Component.Version})
			found := false
			for _, c := range bom.Components {
				assert.NotEmpty(t, c.Version, c.Name)
				found = found || c.Name == module && strings.HasPrefix(c.PURL, "pkg:golang/"+module+"@"+c.Version)
			}
			assert.True(t, found, "%s of %s has no %s", program, target, module)
		}
	}
}

// TestReleasePackages checks that each Linux target has a .deb, an .rpm and an .apk, named after its architecture, with the
// programs of the archive.
func TestReleasePackages(t *testing.T) {
	dist := released(t)
	archives, version := releasedArchives(t, dist)
	folder := "otelcol-tasker_" + version + "_linux_"
	for architecture, others := range map[string]string{"amd64": "x86_64", "arm64": "aarch64"} {
		archive, is := archives["linux/"+architecture]
		if !is {
			continue
		}
		files := readArchive(t, archive)
		want := sha256.Sum256(files[folder+architecture+"/otelcol-tasker"])
		t.Run("deb "+architecture, func(t *testing.T) {
			dpkg := peer(t, "dpkg-deb")
			path := one(t, dist, "*_"+architecture+".deb")
			fields := run(t, exec.Command(dpkg, "-f", path, "Package", "Version", "Architecture"))
			assert.Equal(t, []string{"Package:", "otelcol-tasker", "Version:", strings.Replace(version, "-", "~", 1), "Architecture:", architecture},
				strings.Fields(fields))
			unpacked := t.TempDir()
			run(t, exec.Command(dpkg, "-x", path, unpacked))
			assertProgram(t, want, filepath.Join(unpacked, "usr/bin/otelcol-tasker"))
			assert.FileExists(t, filepath.Join(unpacked, "usr/lib/systemd/system/otelcol-tasker.service"))
		})
		t.Run("rpm "+architecture, func(t *testing.T) {
			rpm := peer(t, "rpm")
			path := one(t, dist, "*."+others+".rpm")
			read := func(args ...string) string { return run(t, exec.Command(rpm, append(args, path)...)) }
			assert.Equal(t, "otelcol-tasker "+strings.Replace(version, "-", "~", 1)+" "+others, read("-qp", "--queryformat", "%{NAME} %{VERSION} %{ARCH}"))
			listed := strings.Fields(read("-qpl"))
			assert.Contains(t, listed, "/usr/bin/otelcol-tasker")
			assert.Contains(t, listed, "/usr/lib/systemd/system/otelcol-tasker.service")
			assert.Contains(t, read("-qp", "--queryformat", "[%{FILENAMES} %{FILEDIGESTS}\n]"), "/usr/bin/otelcol-tasker "+hex.EncodeToString(want[:])+"\n")
		})
		t.Run("apk "+architecture, func(t *testing.T) {
			tarProgram := peer(t, "tar")
			path := one(t, dist, "*_"+others+".apk")
			about := run(t, exec.Command(tarProgram, "--warning=no-unknown-keyword", "-xzOf", path, ".PKGINFO"))
			for _, line := range []string{"pkgname = otelcol-tasker", "pkgver = " + strings.Replace(version, "-", "_", 1), "arch = " + others} {
				assert.Contains(t, about, line+"\n")
			}
			unpacked := t.TempDir()
			run(t, exec.Command(tarProgram, "--warning=no-unknown-keyword", "-xzf", path, "-C", unpacked, "usr/bin/otelcol-tasker"))
			assertProgram(t, want, filepath.Join(unpacked, "usr/bin/otelcol-tasker"))
		})
	}
}

func one(t *testing.T, dist, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dist, pattern))
	require.NoError(t, err)
	require.Len(t, found, 1, pattern)
	return found[0]
}

func assertProgram(t *testing.T, want [sha256.Size]byte, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, want, sha256.Sum256(content), path)
}
