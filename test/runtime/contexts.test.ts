/**
 * recvfromto/register knows by async context which message a late answer belongs to. On lines where contexts cost every
 * promise of the process they begin only when one remote is heard on two addresses: no program pays before, and none is
 * answered from a wrong address because of that.
 */
import { compile, run } from './child';

const compiled = compile();
afterAll(() => compiled.remove());
jest.setTimeout(30_000);

describe.each(['promise', 'timer', 'callback'])('answers that wait for a %s', (way) => {
  test.each(['oldest', 'newest'])('the %s first', async (order) => {
    const { stdout, ...ended } = await run(compiled.folder, 'contexts.cjs', [way, order]);
    expect(ended).toEqual({ code: 0, signal: null, stderr: '' });
    const { when, follows, wrong } = JSON.parse(stdout);
    const never = { atFirst: false, withOneAddressEach: false, answered: false, before: false };
    expect(when).toEqual({ ...never, withTwo: follows });
    expect(wrong).toEqual([]);
  });
});
