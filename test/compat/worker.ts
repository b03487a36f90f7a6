/**
 * Runs scenarios against one module in this process, and prints their transcripts as JSON.
 * `node -r ../e2e/netns/typescript.cjs worker.ts <module> <file of scenarios> [name]`
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { type LooseDgram, type Scenario, type Scenarios, Stage } from './stage';

/** Milliseconds; a scenario that waits for what never comes says so in its transcript. */
const PATIENCE = Number(process.env.RECVFROMTO_COMPAT_PATIENCE ?? 30_000);

async function play(scenario: Scenario, stage: Stage): Promise<string[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      stage.log('timed out');
      resolve();
    }, PATIENCE);
  });
  try {
    await Promise.race([scenario(stage), late]);
  } catch (error) {
    stage.log('rejected', error);
  }
  clearTimeout(timer);
  const { lines } = stage;
  await stage.end();
  return lines;
}

async function main(modulePath: string, file: string, only: string | undefined): Promise<void> {
  const dgram = require(modulePath) as LooseDgram;
  const { scenarios } = require(join(__dirname, 'scenarios', file)) as { scenarios: Scenarios };
  const transcripts: Record<string, string[]> = {};
  for (const [name, scenario] of Object.entries(scenarios)) {
    if (only !== undefined && name !== only) continue;
    transcripts[name] = await play(scenario, new Stage(dgram, modulePath));
  }
  writeSync(1, JSON.stringify(transcripts));
}

const [modulePath, file, only] = process.argv.slice(2);
void main(modulePath, file, only);
