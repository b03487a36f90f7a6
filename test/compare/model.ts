/** The cases of `doctor --deep` on a modelled kernel, and a report of it as a machine would make one. */
import type { NetworkInterfaceInfo } from 'node:os';
import type { GroundAddress } from '../../src/cli/doctor/deep/cases';
import { examine } from '../../src/cli/doctor/deep/examine';
import type { DeepFact } from '../../src/cli/doctor/deep/facts';
import { World } from '../models/world';

/** @param name as `darwin-arm64` */
export async function onModel(name: string): Promise<DeepFact[]> {
  const world = new World(name);
  try {
    const { platform, kernel: syscalls, machine } = world;
    return await examine({ platform, syscalls, addresses: addressesOf(machine.networkInterfaces()), patience: 0 });
  } finally {
    world.close();
  }
}

function addressesOf(interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): GroundAddress[] {
  return Object.entries(interfaces).flatMap(([name, entries = []]) =>
    entries.map((entry) => ({
      address: entry.family === 'IPv6' && entry.scopeid !== 0 ? `${entry.address}%${name}` : entry.address,
      family: entry.family === 'IPv4' ? 4 : 6,
      interface: name,
      internal: entry.internal,
      netmask: entry.netmask,
    })),
  );
}
