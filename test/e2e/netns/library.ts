/** The package as it is published: the built files, typed by their sources. */
import { join } from 'node:path';

export type Library = typeof import('../../../src/index');

/** Loads it; programs that do not need it (node:dgram's turn) must not. */
export const library = (): Library => require(join(__dirname, '../../../dist/index.js'));
