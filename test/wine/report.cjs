// node report.cjs CACHE [only]: what ran under Wine and how it went; the last line is for machines.
'use strict';
const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

const [cache, only] = process.argv.slice(2);
const runs = [
  { name: 'x64', file: 'x64/results-x64.json', of: 'x64' },
  { name: 'x64-shim', file: 'x64/results-x64-shim.json', of: 'x64-shim' },
  { name: 'ia32', file: 'ia32/results-ia32.json', of: 'ia32' },
  { name: 'replies', file: 'results-replies.json', of: 'replies' },
].filter((run) => !only || run.of === only);
const total = { passed: 0, failed: 0, skipped: 0 };

for (const { name, file } of runs) {
  const path = join(cache, file);
  if (!existsSync(path)) {
    total.failed++;
    console.log(`${name}: no results`);
    const log = join(cache, `${name}.log`);
    if (existsSync(log)) console.log(readFileSync(log, 'utf8').trimEnd().split('\n').slice(-25).join('\n'));
    continue;
  }
  const results = JSON.parse(readFileSync(path, 'utf8'));
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = results;
  const broken = results.testResults.filter((suite) => suite.status === 'failed' && !suite.assertionResults.length);
  total.passed += passed;
  total.failed += failed + broken.length;
  total.skipped += skipped;
  console.log(`${name}: ${passed} passed, ${failed + broken.length} failed, ${skipped} skipped`);
  for (const suite of broken) console.log(`  FAILED ${suite.name}\n    ${suite.message}`);
  for (const suite of results.testResults) {
    for (const { status, fullName, failureMessages } of suite.assertionResults) {
      if (status === 'failed') console.log(`  FAILED ${fullName}\n    ${failureMessages.join('\n').slice(0, 1500)}`);
    }
  }
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
