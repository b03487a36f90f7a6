/**
 * Kernels whose segmentation offload corrupts datagrams on some drivers without a word: Linux 7.0 … 7.1.4
 * (tailscale#19777, tailscale#19918; pitfalls P39). All other failures of it are errors, and answered by sending apart.
 */
import { release as osRelease } from 'node:os';

let sound: boolean | undefined;

/** Does the kernel that we run on cut what it is given in one piece without harm? Not where nobody may ask which it is. */
export function hostSegments(): boolean {
  sound ??= segmentationIsSound(releaseOrNone());
  return sound;
}

/** @param release os.release(), such as '6.18.44-generic' */
export function segmentationIsSound(release: string): boolean {
  const [major, minor, patch] = release.split('.').map((part) => Number.parseInt(part, 10));
  if (Number.isNaN(major)) return false;
  if (major !== 7) return true;
  return minor > 1 || (minor === 1 && patch > 4);
}

/** Deno refuses without --allow-sys. */
function releaseOrNone(): string {
  try {
    return osRelease();
  } catch {
    return '';
  }
}
