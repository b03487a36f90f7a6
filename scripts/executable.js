// tsc does not keep the executable bit; npx runs the command straight from a checkout.
require('node:fs').chmodSync(`${__dirname}/../dist/cli/main.js`, 0o755);
