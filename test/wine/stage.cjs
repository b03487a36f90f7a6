// node stage.cjs FOLDER…: lays the built package and its compiled tests into FOLDER/app, where Jest finds them.
'use strict';
const { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const swc = require('@swc/core');

const root = join(__dirname, '../..');

function compile(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !/(?<!\.d)\.c?ts$/.test(entry.name)) continue;
    const file = join(entry.parentPath ?? entry.path, entry.name);
    const { code } = swc.transformFileSync(file, {
      swcrc: false,
      sourceMaps: 'inline',
      sourceFileName: entry.name,
      module: { type: 'commonjs' },
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    });
    writeFileSync(file.replace(/ts$/, 'js'), code);
  }
}

for (const folder of process.argv.slice(2)) {
  if (!existsSync(folder)) continue;
  const app = join(folder, 'app');
  rmSync(app, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  mkdirSync(app);
  for (const part of ['dist', 'src', 'test', 'package.json', 'package-lock.json', 'tsconfig.json']) {
    cpSync(join(root, part), join(app, part), { recursive: true, filter: (from) => !from.endsWith('node_modules') });
  }
  cpSync(join(__dirname, 'jest.config.js'), join(app, 'jest.config.js'));
  compile(join(app, 'src'));
  compile(join(app, 'test'));
}
