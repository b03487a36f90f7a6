/** What `doctor --deep` tries, on Winsock: nobody knows yet what Windows does, so every case has to see something, or say why not. */
import { cases } from '../../src/cli/doctor/deep/cases';
import { examine } from '../../src/cli/doctor/deep/examine';
import { ownAddresses } from '../../src/cli/own-address';
import { openHost } from '../../src/ffi/index';

test('every case of doctor --deep sees something, or says why it cannot be tried', async () => {
  const { platform, syscalls } = openHost();
  const facts = await examine({ platform, syscalls, addresses: ownAddresses(), patience: 100 });
  expect(facts.map(({ name }) => name)).toEqual(cases.map(({ name }) => name));
  expect(facts.filter(({ observed, result }) => observed === null && result !== 'not tried')).toEqual([]);
  expect(facts.filter(({ observed }) => observed !== null).length).toBeGreaterThan(cases.length / 2);
  for (const { observed, detail } of facts) expect(observed ?? detail).not.toMatch(/^$|undefined/);
});
