/**
 * `recvfromto send`: what dig is for DNS, for datagrams. The address that an answer comes from is the point of it: one
 * that was not asked is told, and is exit status 2.
 */
import { isIPv6 } from 'node:net';
import type { SendOptions } from './options';
import { type Answer, ask, type Question } from './question';
import { RoundTrips } from './round-trips';
import { JsonReport, type Report, TextReport } from './send-report';
import { message } from './stdin';
import { target } from './target';
import type { Terminal } from './terminal';

const EXIT = { answered: 0, unanswered: 1, unexpectedSource: 2, interrupted: 130 } as const;

export async function send(options: SendOptions, terminal: Terminal): Promise<number> {
  const { from, timeout, count, json } = options;
  const to = await target(options.host, options.port, from === undefined ? 0 : isIPv6(from) ? 6 : 4);
  const msg = await message(options.text);
  const stop = new AbortController();
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
    stop.abort();
  };
  process.once('SIGINT', interrupt);
  terminal.onClosed(() => stop.abort());
  const report: Report = json
    ? new JsonReport(to, timeout, terminal)
    : new TextReport(to, timeout, terminal, count > 1);
  const trips = new RoundTrips();
  try {
    const question = { target: to, msg, from, timeout, signal: stop.signal };
    for (let left = count; left > 0 && !stop.signal.aborted; left--) await askOnce(question, trips, report);
    report.end(trips);
  } finally {
    process.off('SIGINT', interrupt);
  }
  if (trips.unexpected > 0) return EXIT.unexpectedSource;
  if (interrupted) return EXIT.interrupted;
  return trips.lost > 0 ? EXIT.unanswered : EXIT.answered;
}

async function askOnce(question: Question, trips: RoundTrips, report: Report): Promise<void> {
  let expected = 0;
  let unexpected = 0;
  trips.sent++;
  const outcome = await ask(question, (answer: Answer) => {
    report.answer(answer);
    trips.add(answer.time);
    if (answer.expected) expected++;
    else unexpected++;
  });
  if (expected > 0) trips.received++;
  trips.unexpected += unexpected;
  if (expected + unexpected > 0) return;
  if (outcome === 'refused') report.refused();
  // Not a loss: nobody has waited for it long enough to know.
  else if (question.signal.aborted) trips.sent--;
  else report.timeout();
}
