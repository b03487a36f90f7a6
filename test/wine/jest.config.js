/**
 * The configuration under Wine: stage.cjs lays it beside compiled tests, so nothing is transformed there.
 * What is left out cannot say anything about Windows.
 */
const notHere = [
  'test/e2e/netns/', // network namespaces are Linux; replies.sh is their part here
  'test/unit/ffi-posix', // libc's calls; ffi-winsock is their counterpart
  'test/unit/bench', // the benchmarks run on Linux
  'test/unit/platforms-doc', // reads docs/
  'test/unit/carried-doc', // so does this
];

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.js', '**/*.wine.js'],
  testPathIgnorePatterns: notHere.map((path) => path.replaceAll('/', '[\\\\/]')),
  testTimeout: 30_000,
  transform: {},
  watchman: false,
};
