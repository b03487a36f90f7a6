#!/usr/bin/env bash
# The package as users get it: see test/packaging/main.ts. usage: check-package.sh [manifest|types|installs|runners|bundlers …]
set -euo pipefail
cd "$(dirname "$0")/.."
npm run build --silent
exec node -r ./test/e2e/netns/typescript.cjs test/packaging/main.ts "$@"
