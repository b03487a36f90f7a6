/** All there is, in the order of docs/speed.md. Those with a figure to reach come early, should the time run out. */
import type { Scenario } from './case';
import { dns } from './dns';
import { echoScenarios } from './echo';
import { lifeScenarios } from './life';
import { receiveScenarios } from './receive';
import { sendScenarios } from './send';

export const SCENARIOS: readonly Scenario[] = [
  dns,
  ...echoScenarios,
  ...receiveScenarios,
  ...sendScenarios,
  ...lifeScenarios,
];
