// node stage.cjs FOLDER…: lays the built package and its compiled tests beside FOLDER/node_modules, where Jest finds them.
'use strict';
const { cpSync, existsSync, readdirSync, rmSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const swc = require('@swc/core');

const root = join(__dirname, '../..');

function compile(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !/(?<!\.d)\.ts$/.test(entry.name)) continue;
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
  for (const part of ['dist', 'src', 'test', 'package.json', 'package-lock.json', 'tsconfig.json']) {
    rmSync(join(folder, part), { recursive: true, force: true });
    cpSync(join(root, part), join(folder, part), { recursive: true, filter: (from) => !from.endsWith('node_modules') });
  }
  cpSync(join(__dirname, 'jest.config.js'), join(folder, 'jest.config.js'));
  compile(join(folder, 'src'));
  compile(join(folder, 'test'));
}
