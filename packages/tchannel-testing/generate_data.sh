#!/bin/sh
# Makes src/tchannel_testing/data/generated of everything.thrift; needs the Apache Thrift compiler.
set -eu
cd "$(dirname "$0")/src"
out=$(mktemp -d)
thrift --gen py:new_style,dynamic,slots,utf8strings -out "$out" tchannel_testing/data/everything.thrift
target=tchannel_testing/data/generated
rm -rf "$target"
mkdir -p "$target/everything"
for file in "$out/$target/everything"/*.py; do
    {
        echo '# type: ignore  # made by generate_data.sh, without types'
        cat "$file"
    } >"$target/everything/$(basename "$file")"
done
cat >"$target/__init__.py" <<'END'
"""What the Apache Thrift compiler makes of ``everything.thrift``; made by generate_data.sh."""
END
cat >"$target/ruff.toml" <<'END'
# Generated code is as it is.
exclude = ["*.py", "*.pyi"]
END
rm -rf "$out"
python ../generate_stubs.py tchannel_testing/data/everything.thrift "$target/everything"
