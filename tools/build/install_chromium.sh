#!/bin/sh
# Make sure that there is a Chromium to test the studio with: from the packages of Debian or its kin, if this user may
# install them; else say what to do.
set -eu
for name in chromium chromium-browser google-chrome chrome; do
	if command -v "$name" > /dev/null; then exit 0; fi
done
as_root=""
if [ "$(id -u)" -ne 0 ]; then as_root="sudo -n"; fi
export DEBIAN_FRONTEND=noninteractive
if command -v apt-get > /dev/null && $as_root true 2> /dev/null &&
	$as_root apt-get update -qq &&
	$as_root apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core > /dev/null; then exit 0; fi
echo "Chromium is needed to test the studio, and could not be installed: install it, so that 'chromium' is found." >&2
exit 1
