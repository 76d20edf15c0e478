// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package packaging

import (
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func peer(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("needs a peer: %s is not installed (scripts/install-peers.sh)", program)
	}
	return path
}

// nfpm returns the packager that `make release-tools` builds.
func nfpm(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../bin/tools/nfpm")
	require.NoError(t, err)
	if _, err := os.Stat(path); err != nil {
		t.Skip("needs a peer: bin/tools/nfpm is not built (make release-tools)")
	}
	return path
}

func run(t *testing.T, command *exec.Cmd) string {
	t.Helper()
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s\n%s", command, out)
	return string(out)
}

// sourceDate is the date of a commit.
const sourceDate = "SOURCE_DATE_EPOCH=1780315200"

// stage copies the files to install below a directory, as scripts/release.sh does.
func stage(t *testing.T, packager, bin string) string {
	t.Helper()
	dir := t.TempDir()
	command := exec.Command("../scripts/stage.sh", dir)
	command.Env = append(os.Environ(), "PREFIX=/usr", "SYSCONFDIR=/etc", "UNITS=", "BIN="+bin, sourceDate)
	if packager != "apk" {
		command.Env = append(command.Env, "UNITS=/usr/lib/systemd/system")
	}
	run(t, command)
	return dir
}

// pack builds a package of staged files and returns its path.
func pack(t *testing.T, packager, version, staged string) string {
	t.Helper()
	dir := t.TempDir()
	command := exec.Command(nfpm(t), "package", "--config", "packaging/nfpm.yaml", "--packager", packager, "--target", dir)
	command.Dir = ".."
	command.Env = append(os.Environ(), "VERSION="+version, "ARCH="+runtime.GOARCH, "STAGE="+staged, sourceDate)
	run(t, command)
	made, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, made, 1)
	return made[0]
}

// binaries returns the directory of the built programs.
func binaries(t *testing.T) string {
	t.Helper()
	collector, cli := os.Getenv("TASKER_BIN"), os.Getenv("TASKER_CLI")
	if collector == "" || cli == "" {
		t.Skip("needs the built binaries (make test-peers)")
	}
	require.Equal(t, filepath.Dir(collector), filepath.Dir(cli))
	return filepath.Dir(collector)
}

// inACopy runs a script of testdata as root in a disposable overlay of this machine, without its network.
func inACopy(t *testing.T, script string, packages ...string) {
	t.Helper()
	namespaces := []string{"--mount", "--net", "--propagation", "private"}
	if os.Geteuid() != 0 {
		namespaces = append(namespaces, "--user", "--map-root-user", "--map-auto")
	}
	unshare := peer(t, "unshare")
	probe := "d=$(mktemp -d) && mount -t tmpfs t $d && mkdir $d/u $d/w $d/m && mount -t overlay o -o lowerdir=/,upperdir=$d/u,workdir=$d/w $d/m"
	if out, err := exec.Command(unshare, append(namespaces, "sh", "-c", probe)...).CombinedOutput(); err != nil {
		t.Skipf("needs a peer: no overlay of this machine can be made here, as root or with user namespaces: %s", out)
	}
	args := append(namespaces, "bash", "testdata/run.sh", "testdata/"+script, "testdata/installed.sh")
	run(t, exec.Command(unshare, append(args, packages...)...))
}

// twoVersions builds two packages of the same binaries; the later one has other configuration files.
func twoVersions(t *testing.T, packager string) (older, newer string) {
	t.Helper()
	staged := stage(t, packager, binaries(t))
	older = pack(t, packager, "1.0.0", staged)
	for _, name := range []string{"standalone.yaml", "secure.yaml"} {
		file, err := os.OpenFile(filepath.Join(staged, "etc/otelcol-tasker", name), os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = file.WriteString("# new\n")
		require.NoError(t, err)
		require.NoError(t, file.Close())
	}
	return older, pack(t, packager, "1.1.0", staged)
}

// TestDebianPackage installs, upgrades, removes and purges the package, and runs the service as its unit does in between.
func TestDebianPackage(t *testing.T) {
	peer(t, "dpkg")
	older, newer := twoVersions(t, "deb")
	inACopy(t, "debian.sh", older, newer)
}

// TestRPMPackage does the same with rpm, which erases but does not purge.
func TestRPMPackage(t *testing.T) {
	rpm := peer(t, "rpm")
	older, newer := twoVersions(t, "rpm")
	read := func(args ...string) string { return run(t, exec.Command(rpm, append(args, older)...)) }
	assert.Equal(t, "otelcol-tasker 1.0.0 1 Apache-2.0", read("-qp", "--queryformat", "%{NAME} %{VERSION} %{RELEASE} %{LICENSE}"))
	configured := strings.Fields(read("-qpc"))
	assert.Contains(t, configured, "/etc/otelcol-tasker/standalone.yaml")
	assert.Contains(t, configured, "/etc/otelcol-tasker/otelcol-tasker.env")
	assert.Contains(t, read("-qp", "--requires"), "shadow-utils")
	for _, phase := range []string{"preinstall", "postinstall", "preuninstall", "postuninstall"} {
		assert.Contains(t, read("-qp", "--scripts"), phase+" scriptlet")
	}
	inACopy(t, "rpm.sh", older, newer)
}

// small returns a directory of scripts in place of the programs, for tests of a package's other files.
func small(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"otelcol-tasker", "taskerotel"} {
		// As `taskerotel man DIRECTORY`.
		script := "#!/bin/sh\nif [ \"$1\" = man ]; then mkdir -p \"$2\" && echo page >\"$2/taskerotel.1\"; else echo " + name + "; fi\n"
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755))
	}
	return dir
}

// TestAlpinePackage reads the package back: there is no apk on other distributions.
func TestAlpinePackage(t *testing.T) {
	tar := peer(t, "tar")
	apk := pack(t, "apk", "1.0.0", stage(t, "apk", small(t)))
	list := strings.Fields(run(t, exec.Command(tar, "--warning=no-unknown-keyword", "-tzf", apk)))
	for _, want := range []string{"usr/bin/otelcol-tasker", "usr/bin/taskerotel", "etc/init.d/otelcol-tasker", "etc/conf.d/otelcol-tasker",
		"etc/logrotate.d/otelcol-tasker", "etc/otelcol-tasker/standalone.yaml", ".pre-install", ".pre-upgrade", ".post-upgrade", ".pre-deinstall"} {
		assert.Contains(t, list, want)
	}
	for _, name := range list {
		assert.NotContains(t, name, "systemd")
		assert.NotContains(t, name, "otelcol-tasker.env", "OpenRC reads /etc/conf.d")
	}
	about := run(t, exec.Command(tar, "--warning=no-unknown-keyword", "-xzOf", apk, ".PKGINFO"))
	assert.Contains(t, about, "pkgver = 1.0.0")
}

// TestPackagesAreReproducible checks that the same files give the same package, byte for byte.
func TestPackagesAreReproducible(t *testing.T) {
	for _, packager := range []string{"deb", "rpm", "apk"} {
		var sums [2][sha256.Size]byte
		for i := range sums {
			content, err := os.ReadFile(pack(t, packager, "1.0.0", stage(t, packager, small(t))))
			require.NoError(t, err)
			sums[i] = sha256.Sum256(content)
		}
		assert.Equal(t, sums[0], sums[1], packager)
	}
}

// TestInstall checks that make install respects DESTDIR and PREFIX, adapts the units, and keeps changed files.
func TestInstall(t *testing.T) {
	dest := t.TempDir()
	install := func() string {
		command := exec.Command("../scripts/stage.sh", dest)
		command.Env = append(os.Environ(), "PREFIX=/opt/tasker", "SYSCONFDIR=/opt/tasker/etc", "UNITS=/opt/units", "BIN="+small(t))
		return run(t, command)
	}
	install()
	for _, file := range []string{"bin/otelcol-tasker", "bin/taskerotel", "lib/otelcol-tasker/export-stamp", "etc/otelcol-tasker/standalone.yaml",
		"share/man/man1/taskerotel.1.gz", "share/man/man1/otelcol-tasker.1.gz", "share/bash-completion/completions/taskerotel",
		"share/zsh/site-functions/_taskerotel", "share/fish/vendor_completions.d/taskerotel.fish", "share/doc/otelcol-tasker/LICENSE"} {
		assert.FileExists(t, filepath.Join(dest, "opt/tasker", file))
	}
	units, err := filepath.Glob(filepath.Join(dest, "opt/units/*"))
	require.NoError(t, err)
	require.Len(t, units, 3)
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		require.NoError(t, err)
		assert.NotContains(t, string(text), "/usr/bin/", unit)
		assert.NotContains(t, strings.ReplaceAll(string(text), "/opt/tasker/etc/", ""), "/etc/", unit)
	}

	config := filepath.Join(dest, "opt/tasker/etc/otelcol-tasker/standalone.yaml")
	require.NoError(t, os.WriteFile(config, []byte("mine"), 0o644))
	assert.Contains(t, install(), "standalone.yaml is kept")
	kept, err := os.ReadFile(config)
	require.NoError(t, err)
	assert.Equal(t, "mine", string(kept))
	shipped, err := os.ReadFile("../deploy/otelcol/standalone.yaml")
	require.NoError(t, err)
	offered, err := os.ReadFile(config + ".new")
	require.NoError(t, err)
	assert.Equal(t, string(shipped), string(offered))
}
