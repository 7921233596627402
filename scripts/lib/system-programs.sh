# Sourced by scripts/test: the programs of the system that tests with real servers use, from Debian's packages.
# One "program package" a line; a name with :: is a Perl module.
SYSTEM_PROGRAMS="
redis-server redis-server
postfix postfix
swaks swaks
nmap nmap
miltertest miltertest
openssl openssl
age age
rspamd rspamd
clamd clamav-daemon
xxd xxd
dkimverify python3-dkim
Net::SSLeay libnet-ssleay-perl
"

is_here() {
  case "$1" in
    *::*) perl -M"$1" -e 1 2>/dev/null ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

missing_packages() {
  local program package
  while read -r program package; do
    [ -z "$program" ] || is_here "$program" || printf '%s ' "$package"
  done <<<"$SYSTEM_PROGRAMS"
}

# Installs what is missing when it may, and names what stays missing. Starts no service and asks nothing.
install_system_programs() {
  # Postfix and its kin live in sbin, which is not in everybody's PATH.
  PATH="$PATH:/usr/sbin:/sbin"
  local packages
  packages=$(missing_packages)
  [ -n "$packages" ] || return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "test: installing ${packages% }" >&2
    apt_install $packages || true
    packages=$(missing_packages)
  fi
  if [ -n "$packages" ]; then
    echo "test: not here, so tests that need them are skipped: ${packages% }" >&2
  fi
}

apt_install() {
  local log policy=/usr/sbin/policy-rc.d ours= status=0
  log=$(mktemp)
  # invoke-rc.d asks this file before it starts a service.
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    ours=yes
  fi
  {
    apt-get -q -o DPkg::Lock::Timeout=120 update &&
      DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confdef \
        -o Dpkg::Options::=--force-confold install --no-install-recommends "$@"
  } </dev/null >"$log" 2>&1 || status=$?
  [ -z "$ours" ] || rm -f "$policy"
  [ "$status" = 0 ] || tail -n 20 "$log" >&2
  rm -f "$log"
  return "$status"
}
