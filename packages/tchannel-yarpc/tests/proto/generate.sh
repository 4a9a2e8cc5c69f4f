#!/bin/sh
# Makes the Python modules of echo.proto anew; needs grpcio-tools.
# Not by the newest: what it generates runs with the oldest protobuf that we support, and later ones.
set -eu
cd "$(dirname "$0")"
python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. --grpc_python_out=. echo.proto
