// suite.cjs <folder of the built package>
// What recvfromto does, tried in whatever runtime runs this: Node, Bun, Deno, on any CPU. Plain CommonJS without a test
// framework, so that it starts in a minute under an emulator. Runs in a network namespace made by world.sh; where there
// is only loopback it says what it had to leave out. One line of JSON per check; the last line is {"done":true}.
'use strict';
const os = require('node:os');
const path = require('node:path');
const { features } = require('./features.cjs');
const { behaviour } = require('./behaviour.cjs');

const dist = path.resolve(process.argv[2]);
const lines = [];
const print = (line) => lines.push(console.log(JSON.stringify(line)));

/** A check takes this long at most, in milliseconds: an emulator is slow, a deaf socket is for ever. */
const PATIENCE = Number(process.env.SUITE_PATIENCE ?? 5000);

function runtime() {
  const { bun, deno, node } = process.versions;
  if (bun) return ['Bun', bun];
  if (deno) return ['Deno', typeof deno === 'string' ? deno : globalThis.Deno.version.deno];
  return ['Node', node];
}

/** What a socket says where it cannot be: { unsupported: text } or nothing. */
function refusal(library) {
  try {
    library.createSocket('udp4').close();
  } catch (error) {
    if (error.code === 'ERR_RECVFROMTO_UNSUPPORTED_PLATFORM') return error.message;
    throw error;
  }
}

async function bounded(check) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`nothing within ${PATIENCE} ms`)), PATIENCE);
  });
  try {
    return await Promise.race([check(), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function main() {
  const library = require(dist);
  const [name, version] = runtime();
  print({ runtime: name, version, os: process.platform, arch: process.arch, endianness: os.endianness() });
  const refused = refusal(library);
  const world = {
    library,
    dist,
    runtime: name,
    device: process.env.SUITE_DEVICE,
    has: (address) =>
      Object.values(os.networkInterfaces())
        .flat()
        .some((each) => each.address === address),
  };
  for (const check of [...features, ...behaviour]) {
    const { feature, name: what } = check;
    if (refused !== undefined) {
      print({ feature, name: what, result: 'unsupported', detail: refused });
      continue;
    }
    try {
      const missing = check.needs?.(world);
      if (missing) print({ feature, name: what, result: 'skipped', detail: missing });
      else print({ feature, name: what, result: 'run', detail: (await bounded(() => check.run(world))) ?? '' });
    } catch (error) {
      print({ feature, name: what, result: 'failed', detail: `${error?.stack ?? error}` });
    }
  }
  print({ done: true });
  process.exit(0);
}

main().catch((error) => {
  print({ failed: `${error?.stack ?? error}` });
  process.exit(1);
});
