// `npm run bench` begins here: bench/ is a package of its own, whose dependencies are installed when they are wanted.
const { execFileSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

/** npm leaves a copy of what it has installed in node_modules. */
function installed() {
  const read = (file) => JSON.parse(readFileSync(join(__dirname, file), 'utf8')).packages;
  try {
    const wanted = Object.entries(read('package-lock.json')).filter(([path]) => path !== '');
    const there = read('node_modules/.package-lock.json');
    return wanted.every(([path, { version, optional }]) => optional === true || there[path]?.version === version);
  } catch {
    return false;
  }
}

if (!installed()) {
  const options = { cwd: __dirname, stdio: ['ignore', 'ignore', 'inherit'] };
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], options);
}
require('../test/e2e/netns/typescript.cjs');
require('./run.ts');
