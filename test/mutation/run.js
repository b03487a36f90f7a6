#!/usr/bin/env node
/**
 * `npm run test:mutation`: injects every wrong offset, number and rule into the platform data and lets the ABI tests and
 * the kernel models catch it. Options: `--only linux-x64,…`; `--match REGEXP`: of their names; `--models`: the
 * models alone, without the ABI tests; `--verbose`: also what killed each mutant. Exit code 1 when one survives without an explanation.
 */
const { readFileSync } = require('node:fs');
const { transformSync } = require('@swc/core');

require.extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    swcrc: false,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'commonjs' },
  });
  module._compile(code, filename);
};
require('./main.ts');
