#!/usr/bin/env bash
# Writes protocol/src/generated/sticker.rs from sticker.thrift. CI runs it and wants no difference.
# Needs the Thrift compiler 0.17 (Debian: thrift-compiler).
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
thrift -out "$work" --gen rs sticker.thrift
out=../src/generated/sticker.rs
mkdir -p ../src/generated
# The compiler imports a server trait even where the file declares no service; without it the crate needs no server features.
{
  sed -e '/^use thrift::server::TProcessor;$/d' -e '/^#!\[cfg_attr/d' "$work/sticker.rs"
} >"$out"
rustfmt --edition 2024 --style-edition 2024 --config max_width=110 "$out"
