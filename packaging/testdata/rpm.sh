# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# Installs, upgrades and erases the .rpm with Debian's rpm: rpm.sh installed.sh OLD.rpm NEW.rpm
. ./installed.sh
tree >/tmp/before
install() { rpm --nodeps --noplugins "$@"; }
rpm --initdb

install -i "$2"
mode_is root:root:600 /etc/otelcol-tasker/otelcol-tasker.env
mode_is otelcol-tasker:otelcol-tasker:750 /var/lib/otelcol-tasker
systemd-analyze verify --man=no /usr/lib/systemd/system/{otelcol-tasker.service,taskerotel-export.service,taskerotel-export.timer}
rpm -V --nodeps otelcol-tasker
works

echo '# mine' >>/etc/otelcol-tasker/standalone.yaml
install -U "$3"
grep -q '^# mine$' /etc/otelcol-tasker/standalone.yaml || fail "the configuration was overwritten"
grep -q '^# new$' /etc/otelcol-tasker/standalone.yaml.rpmnew || fail "the new configuration is not beside it"
grep -q '^# new$' /etc/otelcol-tasker/secure.yaml || fail "a configuration that nobody changed is still the old one"
works

rpm -e otelcol-tasker
[[ ! -e /usr/bin/otelcol-tasker && ! -e /usr/lib/systemd/system/otelcol-tasker.service ]] || fail "programs are left"
[[ -e /etc/otelcol-tasker/standalone.yaml.rpmsave ]] || fail "erasing took the administrator's configuration"
[[ -d /var/lib/otelcol-tasker/storage ]] || fail "erasing took the state"
rm -rf /etc/otelcol-tasker /var/lib/otelcol-tasker
userdel otelcol-tasker
nothing_left /tmp/before
