/**
 * Node's permission model, for the network. It stops node:dgram without `--allow-net` since the release that knows that flag;
 * older ones leave the network alone and answer has('net') with false. What we call through FFI is stopped by nobody, so
 * we ask.
 */
import type { Syscalls } from './syscalls';

export interface ProcessWithPermission {
  readonly permission?: { has(scope: string): boolean; drop?(scope: string): void };
  readonly allowedNodeEnvironmentFlags?: ReadonlySet<string>;
  readonly execArgv?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Does it only tell what it would forbid (`--permission-audit`)? has() answers as if it forbade it. */
function isAudit({ execArgv = [], env = {} }: ProcessWithPermission): boolean {
  return [...execArgv, env.NODE_OPTIONS ?? ''].some((flag) => flag.includes('--permission-audit'));
}

/** undefined where nobody is stopped. */
function enforced(host: ProcessWithPermission): ProcessWithPermission['permission'] {
  const { permission } = host;
  if (permission === undefined) return undefined;
  // Asked last: Node makes that list when it is read, which takes a millisecond.
  return host.allowedNodeEnvironmentFlags?.has('--allow-net') && !isAudit(host) ? permission : undefined;
}

/** @throws ERR_ACCESS_DENIED */
export function refuseWithoutNet(host: ProcessWithPermission = process): void {
  const permission = enforced(host);
  if (permission === undefined || permission.has('net')) return;
  throw Object.assign(new Error('Access to this API has been restricted. Use --allow-net to manage permissions.'), {
    code: 'ERR_ACCESS_DENIED',
    permission: 'Net',
  });
}

/**
 * A process may give up the network later (process.permission.drop('net'), Node.js 26.1). From then on these calls fail, as
 * for one that its sandbox forbids them. Where nothing can be given up they are left as they are.
 * @param refusal -errno
 */
export function heedDrops(calls: Syscalls, refusal: number, host: ProcessWithPermission = process): void {
  const permission = enforced(host);
  if (permission?.drop === undefined) return;
  const heeding =
    <Args extends unknown[]>(call: (...args: Args) => number) =>
    (...args: Args): number =>
      permission.has('net') ? call(...args) : refusal;
  const { bind, connect, sendmmsg } = calls;
  Object.defineProperties(calls, {
    bind: { value: heeding(bind.bind(calls)) },
    connect: { value: heeding(connect.bind(calls)) },
    sendmmsg: { value: heeding(sendmmsg.bind(calls)) },
  });
}
