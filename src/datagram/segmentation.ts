/**
 * Kernels whose segmentation offload corrupts datagrams on some drivers without a word: Linux 7.0 … 7.1.4
 * (tailscale#19777, tailscale#19918; pitfalls P39). All other failures of it are errors, and answered by sending apart.
 */

/** @param release os.release(), such as '6.18.44-generic' */
export function segmentationIsSound(release: string): boolean {
  const [major, minor, patch] = release.split('.').map((part) => Number.parseInt(part, 10) || 0);
  if (major !== 7) return true;
  return minor > 1 || (minor === 1 && patch > 4);
}
