/** sendSync(): one datagram that is sent, or refused, before it returns. */
import { misfit } from '../../datagram/answer';
import { errnoName } from '../../datagram/failure';
import type { Payload } from '../../datagram/send-ring';
import { invalidAddress, sourceMismatch } from '../../errors';
import type { Core } from '../core';
import type { Choice } from './choice';
import { explained, prepare } from './extras';
import { heardOn, namedSource, unreachable } from './send';

/** Sends before it returns. @throws the kernel's error; EAGAIN where the queue is full */
export function sendSync(core: Core, payload: Payload, port: number, host: string | undefined, choice: Choice): number {
  const { platform } = core.engine.host;
  const remote = core.peer ?? core.settings.lookup.endpoint(core.engine.names, host);
  if (remote === undefined) throw invalidAddress(host);
  const refusal = core.peer === undefined ? unreachable(core, remote, remote.text, port) : undefined;
  if (refusal !== undefined) throw refusal;
  core.openChannel(); // a block list of the program may have closed it
  const source = choice.source ?? (core.sticky && core.peer === undefined ? heardOn(core, remote, port) : undefined);
  const why = source === undefined ? undefined : misfit(core.channel, source, remote);
  if (source !== undefined && why !== undefined) throw sourceMismatch(source.text, remote.text, why);
  const from = source === undefined ? undefined : namedSource(core, source, remote, port, undefined);
  const to = core.peer === undefined ? port : 0;
  const unprepared = choice.extras && prepare(core, remote, to, choice.extras);
  if (unprepared !== undefined) throw unprepared;
  const sender = core.outgoing;
  for (let tries = 0; ; tries++) {
    const result = sender.sendSync(payload, remote, to, from ?? undefined, choice.extras);
    if (result >= 0) return result;
    const name = errnoName(platform, result);
    if (tries < MOST_TRIES && core.explained(name)) continue;
    const gone = from && platform.quirks.sourceGone.includes(name) && !core.engine.isLocal(from);
    if (gone && core.answersFrom(from)) continue;
    throw explained(
      core,
      choice.extras,
      sender.refusals.errorOf(gone ? 'EADDRNOTAVAIL' : name, result, remote, to, from ?? undefined),
    );
  }
}

/** Errors of earlier datagrams that one may be refused for. */
const MOST_TRIES = 16;
