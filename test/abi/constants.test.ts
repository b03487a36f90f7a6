/** Every number of every Platform against the fixtures. A number that no fixture knows is a failure. */
import { platformFor } from '../../src/platform';
import { targets } from './facts';

/** Winsock's names for what libuv calls otherwise. */
const winsockNames: Record<string, string> = { EAGAIN: 'WSAEWOULDBLOCK', ENOTSUP: 'WSAEOPNOTSUPP' };

describe.each(targets.map((facts) => [facts.name, facts] as const))('%s', (_, facts) => {
  const platform = platformFor(facts.os, facts.arch, facts.libc);
  /** Ours alone: Windows has no MSG_DONTWAIT, and 0 says so. */
  const withoutFact = facts.os === 'win32' ? ['MSG_DONTWAIT'] : [];

  test('constants', () => {
    const names = Object.keys(platform.constants);
    expect(names.length).toBeGreaterThan(50);
    expect(names.filter((name) => facts.constant(name) === undefined)).toEqual(withoutFact);
    for (const name of withoutFact) expect(platform.constants[name]).toBe(0);
    const known = names.filter((name) => !withoutFact.includes(name));
    expect(Object.fromEntries(known.map((name) => [name, platform.constants[name]]))).toEqual(
      Object.fromEntries(known.map((name) => [name, facts.constant(name)])),
    );
  });

  test('errno', () => {
    const names = Object.keys(platform.errno);
    expect(names.length).toBeGreaterThan(25);
    const fact = (name: string) =>
      facts.constant(facts.os === 'win32' ? (winsockNames[name] ?? `WSA${name}`) : name) ?? 'no fact';
    expect({ ...platform.errno }).toEqual(Object.fromEntries(names.map((name) => [name, fact(name)])));
  });

  test('an errno has one name', () => {
    const values = Object.values(platform.errno);
    expect(new Set(values).size).toBe(values.length);
  });

  test('names in quirks are errno names', () => {
    const { sourceGone, backOff, sourceUnroutable = [] } = platform.quirks;
    for (const name of [...sourceGone, ...backOff, ...sourceUnroutable]) expect(platform.errno).toHaveProperty(name);
  });

  // test/models/truth.test.ts has the kernels that do so.
  test('habits that were seen', () => {
    const { sourceUnroutable, sendsFromGroup, connectNarrows, hearsGroupsOfOthers, ...others } = platform.quirks;
    const linux = facts.os === 'linux' || facts.os === 'android';
    expect({ sourceUnroutable, sendsFromGroup, connectNarrows, hearsGroupsOfOthers }).toEqual({
      sourceUnroutable: facts.os === 'darwin' ? ['EHOSTUNREACH'] : undefined,
      sendsFromGroup: facts.os === 'freebsd' ? true : undefined,
      connectNarrows: linux || facts.os === 'darwin' || facts.os === 'freebsd' ? true : undefined,
      hearsGroupsOfOthers: linux ? [4, 6] : facts.os === 'win32' ? [] : [6],
    });
    expect(others.mappedTellsNothing).toBe(['darwin', 'freebsd'].includes(facts.os) ? true : undefined);
    expect(others.truncTellsLength).toBe(linux ? true : undefined);
    expect(others.interfaceTakesRoom).toBe(facts.os === 'freebsd' ? true : undefined);
  });
});
