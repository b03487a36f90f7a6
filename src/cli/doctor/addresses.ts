/** Asks every address of this machine, at recvfromto and at node:dgram, and judges where the answers came from. */
import type { Capabilities, RemoteInfo } from '../../index';
import { type Asking, asked, type Heard } from '../asking';
import { isOwn, type OwnAddress, ownAddresses } from '../own-address';
import { type Prediction, predictions, type Vantage, vantages } from '../prediction';
import type { AddressFact, AnswerFact, SocketName } from './facts';
import { type Question, questions } from './questions';
import { dgramServer, type EchoServer, type WitnessServer, witnessServer } from './servers';

interface Pair {
  readonly ours: WitnessServer;
  readonly dgram: EchoServer;
}
type Asked = Omit<AddressFact, 'dgramPredicted'>;
type Pairs = ReadonlyMap<SocketName, Pair>;

/** Asked at the same time. */
const WIDTH = 32;

export async function askAddresses(
  capabilities: Capabilities,
): Promise<{ addresses: AddressFact[]; addressesNotAsked: number }> {
  const own = await everyAddress();
  const from = await vantages(own);
  const { list, left } = questions(own, capabilities.dualStack);
  const pairs = new Map<SocketName, Pair>();
  try {
    for (const name of new Set(list.map(({ socket }) => socket))) {
      pairs.set(name, { ours: await witnessServer(name), dgram: await dgramServer(name) });
    }
    const addresses: AddressFact[] = [];
    for (let at = 0; at < list.length; at += WIDTH) {
      const answers = await Promise.all(list.slice(at, at + WIDTH).map((one) => ask(one, pairs)));
      addresses.push(...answers.map((one) => ({ ...one, dgramPredicted: predictedFor(one, own, from) })));
    }
    return { addresses, addressesNotAsked: left };
  } finally {
    await Promise.all([...pairs.values()].flatMap(({ ours, dgram }) => [ours.close(), dgram.close()]));
  }
}

function predictedFor({ address }: Asked, own: readonly OwnAddress[], from: readonly Vantage[]): readonly Prediction[] {
  const mine = own.find((one) => one.address === address);
  return mine === undefined ? [] : predictions(mine, from);
}

/** All of os.networkInterfaces(), and one more of 127.0.0.0/8 where the OS has all of it (Linux, Windows). */
async function everyAddress(): Promise<OwnAddress[]> {
  const own = ownAddresses();
  const at = own.findIndex(({ address }) => address === '127.0.0.1');
  if (at < 0 || !(await isOwn('127.0.0.2')) || own.some(({ address }) => address === '127.0.0.2')) return own;
  return own.toSpliced(at + 1, 0, { ...(own[at] as OwnAddress), address: '127.0.0.2' });
}

/** From the first client whom recvfromto answers, rightly or wrongly; else from the last. */
async function ask(question: Question, pairs: Pairs): Promise<Asked> {
  const pair = pairs.get(question.socket) as Pair;
  for (const client of question.clients.slice(0, -1)) {
    const fact = await askFrom(client, question, pair);
    if (fact.recvfromto.from !== null) return fact;
  }
  return askFrom(question.clients.at(-1), question, pair);
}

let serial = 0;

async function askFrom(
  client: string | undefined,
  { address, socket }: Question,
  { ours, dgram }: Pair,
): Promise<Asked> {
  const text = `recvfromto doctor ${process.pid} ${++serial}`;
  const asking = (port: number): Asking => ({ to: address, port, messages: () => [Buffer.from(text)], from: client });
  const [answer, dgramAnswer] = await Promise.all([asked(asking(ours.port)), asked(asking(dgram.port))]);
  const told = ours.heard(text);
  const heard = told !== undefined || isAnswer(dgramAnswer);
  const judged = verdict(answer, address, heard);
  const right = judged.verdict === 'right' && isToldRightly(told, address, socket);
  return {
    address,
    socket,
    askedBy: client ?? (told === undefined ? null : bare(told.address)),
    interface: told?.destination?.interface ?? null,
    destination: told?.destination?.address ?? null,
    recvfromto: judged.verdict === 'right' && !right ? { ...judged, verdict: 'wrong' } : judged,
    dgram: verdict(dgramAnswer, address, heard),
  };
}

function verdict(answer: Heard | string | undefined, address: string, heard: boolean): AnswerFact {
  if (!isAnswer(answer)) return { verdict: heard ? 'silent' : 'unreachable', from: null };
  return { verdict: isSame(answer.from, address) ? 'right' : 'wrong', from: answer.from };
}

/** Deno's dgram leaves the zone out of what it tells its listeners. */
function isSame(from: string, address: string): boolean {
  return from === (from.includes('%') ? address : address.split('%', 1)[0]);
}

function isAnswer(answer: Heard | string | undefined): answer is Heard {
  return typeof answer === 'object';
}

/** The right answer could still be luck: the server has to have known. */
function isToldRightly(told: RemoteInfo | undefined, address: string, socket: SocketName): boolean {
  const expected = socket === 'dual' ? `::ffff:${address}` : address;
  return told?.destination?.address === expected && told.localAddress === expected;
}

function bare(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
