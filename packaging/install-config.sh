#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Of 'meson install': puts configuration files where there are none yet.
#
#   install-config.sh FOLDER FILE...
set -eu
folder=$1
shift
case $folder in
/*) folder=${DESTDIR-}$folder ;;
*) folder=$MESON_INSTALL_DESTDIR_PREFIX/$folder ;;
esac
mkdir -p "$folder"
for file; do
	[ -e "$folder/${file##*/}" ] || install -m 0644 "$file" "$folder/"
done
