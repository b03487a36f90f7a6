/** Which kernels may be asked to cut datagrams apart. */
import { segmentationIsSound } from '../../../src/datagram/segmentation';

test.each([
  ['5.15.0-100-generic', true],
  ['6.18.44-fc-v595', true],
  ['6.17.0', true],
  ['7.0.0-14-generic', false],
  ['7.0.12', false],
  ['7.1.4', false],
  ['7.1.5', true],
  ['7.2.0-rc1', true],
  ['8.0.0', true],
  ['', false],
])('Linux %s: %s', (release, sound) => {
  expect(segmentationIsSound(release)).toBe(sound);
});
