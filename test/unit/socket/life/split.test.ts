/** split(): what a peer's own socket finds in its descriptor that is not the peer's. */
import { datagrams, FakeNet, heard, settled } from '../../../support/fake-socket';

test.each([
  false,
  true,
  'runs' as const,
])('is handed back to the socket that it was split from; gro: %s', async (gro) => {
  const net = new FakeNet();
  const { socket, fd } = await net.bound({ gro });
  const parent = heard(socket);
  net.arrive(fd, datagrams('hello'));
  await settled();
  const child = socket.split(parent.rinfos[0]);
  const own = heard(child);
  const [other] = datagrams('of another');
  const [peers] = datagrams('of the peer');
  net.arrive(child.fd, [{ ...other, from: { address: '192.0.2.66', port: 6 } }, peers]);
  await settled();
  expect([parent.texts, own.texts]).toEqual([['hello', 'of another'], ['of the peer']]);
});
