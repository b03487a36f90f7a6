/** Mutants that change nothing that anybody could see, and why. Whatever else survives is a hole in the tests. */
interface Equivalent {
  readonly systems: RegExp;
  readonly names: RegExp;
  readonly why: string;
}

/** "J" in a reason: `semantics` of the system's fixture in test/abi/fixtures. */
const equivalents: readonly Equivalent[] = [
  {
    systems: /^(linux|android)/,
    names: /^tos\.udp4 = size$/,
    why: 'Linux takes IP_TOS as an int or as a byte (J: otherCmsg)',
  },
  {
    systems: /^(linux|android)/,
    names: /^quirks\.bindsAsAsked = false$/,
    why: 'the name is asked back then, which says the same',
  },
  {
    systems: /^(linux|android|darwin|freebsd|netbsd)/,
    names: /^quirks\.ipMulticastOptionSize = 1$/,
    why: 'IP_MULTICAST_TTL and IP_MULTICAST_LOOP are taken as an int or as a byte there (ip(4), ip(7))',
  },
  {
    systems: /^(linux|android|win32)/,
    names: /^quirks\.minSendBuffer = /,
    why: 'the default of SO_SNDBUF is larger, so nothing is raised',
  },
  {
    systems: /^(?!linux|android|win32)/,
    names: /^quirks\.sourceGone = with ENOBUFS$/,
    why: 'before a source is said to have vanished the kernel is asked whether it is there',
  },
  {
    systems: /^(linux|android|win32)/,
    names: /^quirks\.(sourceGone = without|backOff = with) EADDRNOTAVAIL$/,
    why: 'the kernel has another word for it (J: ipv4_send.errors; P7), and this one is reported as it is',
  },
  {
    systems: /^(darwin|freebsd|openbsd|netbsd)/,
    names: /^departures\.(udp4|mapped) = (carriesIfindex|without an interface|with interface 1)$/,
    why: 'the writer of this message leaves the interface out whatever it is given',
  },
  {
    systems: /^darwin/,
    names: /^departures\.(udp4|mapped) = ifindexAlone$/,
    why: 'an IP_PKTINFO of zeros asks macOS for nothing (J: ipv4_send)',
  },
  {
    systems: /^(darwin|openbsd)/,
    names: /^(ttl|tos)\.udp4 = as elsewhere$/,
    why: 'udp_output() passes over control messages that it does not know (J: ipv4_send)',
  },
];

/** Why this mutant is none. */
export function equivalent(system: string, name: string): string | undefined {
  return equivalents.find(({ systems, names }) => systems.test(system) && names.test(name))?.why;
}
