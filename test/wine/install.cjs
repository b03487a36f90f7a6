// node install.cjs FOLDER x64|ia32 NODE: a node_modules as npm would make it on Windows, in the versions of our lock file.
'use strict';
const { execFileSync } = require('node:child_process');
const { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const [folder, cpu, node] = process.argv.slice(2);
const lock = JSON.parse(readFileSync(join(__dirname, '../../package-lock.json'), 'utf8'));
/** Of the tests, and of what the command is bundled from. */
const DEVELOPMENT = [
  ...['jest', 'fast-check', 'ipaddr.js'],
  ...['commander', 'cli-table3', 'string-width', 'dns-packet', 'coap-packet'],
];
const dependencies = Object.fromEntries(
  [...Object.keys(lock.packages[''].dependencies), ...DEVELOPMENT].map((name) => [
    name,
    lock.packages[`node_modules/${name}`].version,
  ]),
);
const [, nodePackage, nodeVersion] = /^(.+)@(.+)$/.exec(node);
dependencies[nodePackage] = nodeVersion;
const resolver = `file:${join(__dirname, 'unrs-resolver')}`;
const manifest = JSON.stringify({ private: true, dependencies, overrides: { 'unrs-resolver': resolver } }, null, 2);
const stamp = join(folder, '.complete');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== manifest) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), manifest);
  // --os and --cpu choose koffi's binary; --force because Node's own package is for an OS that this is not.
  const quiet = ['--ignore-scripts', '--install-links', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['install', '--force', '--os=win32', `--cpu=${cpu}`, ...quiet], {
    cwd: folder,
    stdio: 'inherit',
  });
  const koffi = join(folder, `node_modules/@koromix/koffi-win32-${cpu}`);
  if (!existsSync(koffi)) throw new Error(`npm did not install ${koffi}`);
  writeFileSync(stamp, manifest);
}
