#!/usr/bin/env bash
# Installs the system packages the tests need, where they are missing and we may.
set -euo pipefail

missing=()
command -v /usr/lib/postgresql/15/bin/postgres >/dev/null || missing+=(postgresql-15)
command -v chromium >/dev/null || missing+=(chromium fonts-noto-cjk)

[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "Please install: ${missing[*]} (the service tests also run on the distribution's PostgreSQL, the browser tests in Chromium)." >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# Only the programs: the tests start their own servers, the distribution's cluster is not wanted.
mkdir -p /etc/postgresql-common/createcluster.d
echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.d/tests.conf
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
