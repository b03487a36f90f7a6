/** The `lookup` option: what it is called with, what it may answer, and when. */
import dns from 'node:dns';
import { once } from 'node:events';
import type { Scenarios } from '../stage';

type Answer = (error: Error | null, address?: unknown, family?: number) => void;

export const scenarios: Scenarios = {
  'what it is called with': async (t) => {
    for (const type of ['udp4', 'udp6']) {
      const loopback = type === 'udp4' ? '127.0.0.1' : '::1';
      const lookup = (host: unknown, family: unknown, answer: Answer, ...more: unknown[]) => {
        t.log('lookup', host, family, typeof answer, ...more);
        process.nextTick(answer, null, loopback, 4);
      };
      const socket = t.socket({ type, lookup });
      t.watch(socket, type);
      socket.bind(0, 'some.where');
      await once(socket, 'listening');
      for (const address of ['else.where', undefined, '', loopback, 'localhost']) {
        const sent = t.awaited(`sent to ${address}`);
        socket.send('x', socket.address().port, address, sent.call);
        await sent.called;
      }
      const connected = t.awaited('connected');
      socket.connect(socket.address().port, 'peer.where', connected.call);
      await connected.called;
      const sent = t.awaited('sent to the peer');
      socket.send('x', sent.call);
      await sent.called;
      await t.settle();
    }
  },

  'without addresses': async (t) => {
    const lookup = (host: unknown, family: unknown, answer: Answer) => {
      t.log('lookup', host, family);
      answer(null, '127.0.0.1', 4);
    };
    const socket = t.socket({ type: 'udp4', lookup });
    t.watch(socket);
    socket.bind();
    t.log('bind has returned');
    socket.send('x', socket.address().port, t.callback('sent'));
    t.log('send has returned');
    await t.settle();
    socket.connect(9);
    t.log('connect has returned');
    await t.settle();
  },

  'errors of its own': async (t) => {
    const oops = Object.assign(new Error('oops'), { code: 'EOOPS' });
    let fail = true;
    const lookup = (_host: unknown, _family: unknown, answer: Answer) =>
      fail ? process.nextTick(answer, oops) : process.nextTick(answer, null, '127.0.0.1');
    const socket = t.socket({ type: 'udp4', lookup });
    t.watch(socket);
    socket.bind(0, 'x', t.callback('never'));
    await t.settle();
    fail = false;
    socket.bind(0, 'x');
    await once(socket, 'listening');
    fail = true;
    socket.send('x', 9, 'x', t.callback('sent'));
    socket.send('x', 9, 'x');
    socket.connect(9, 'x', t.callback('connected'));
    await t.settle();
    socket.connect(9, 'x');
    await t.settle();
  },

  'answers that are no addresses': async (t) => {
    for (const answer of ['::1', 'still.a.name', '']) {
      let first = true;
      const lookup = (_host: unknown, _family: unknown, call: Answer) => {
        process.nextTick(call, null, first ? '127.0.0.1' : answer);
        first = false;
      };
      const socket = t.socket({ type: 'udp4', lookup });
      t.watch(socket, t.spell(answer));
      socket.bind(0);
      await once(socket, 'listening');
      const sent = t.awaited('sent');
      socket.send('x', 9, 'x', sent.call);
      await Promise.race([sent.called, t.settle()]);
      const connected = t.awaited('connected');
      socket.connect(9, 'x', connected.call);
      await connected.called;
    }
  },

  'bind to an answer that is none': async (t) => {
    for (const answer of ['::1', 'still.a.name', '']) {
      const lookup = (_host: unknown, _family: unknown, call: Answer) => process.nextTick(call, null, answer);
      const socket = t.socket({ type: 'udp4', lookup });
      t.watch(socket, t.spell(answer));
      socket.bind(0, 'x');
      await t.settle();
    }
  },

  'closed while looking up': async (t) => {
    const answers: Answer[] = [];
    const lookup = (_host: unknown, _family: unknown, answer: Answer) => answers.push(answer);
    const socket = t.socket({ type: 'udp4', lookup });
    t.watch(socket);
    socket.bind(0, 'x');
    socket.close(t.callback('closed'));
    await t.settle();
    for (const answer of answers) answer(null, '127.0.0.1');
    for (const answer of answers) answer(new Error('late'));
    await t.settle();
  },

  'failures after close()': async (t) => {
    for (const callback of [t.callback('sent'), undefined]) {
      const answers: Answer[] = [];
      let first = true;
      const lookup = (_host: unknown, _family: unknown, answer: Answer) => {
        if (first) process.nextTick(answer, null, '127.0.0.1');
        else answers.push(answer);
        first = false;
      };
      const socket = t.socket({ type: 'udp4', lookup });
      t.watch(socket);
      socket.bind(0, 'x');
      await once(socket, 'listening');
      socket.send('x', 9, 'x', callback);
      socket.close();
      await once(socket, 'close');
      t.log('looked up', answers.length);
      for (const answer of answers) answer(Object.assign(new Error('late'), { code: 'ELATE' }));
      await t.settle();
    }
  },

  'dns.lookup replaced by the program': async (t) => {
    const original = dns.lookup;
    const peer = await t.peer();
    const { port } = peer.address();
    const replaced = (host: unknown, family: unknown, answer: Answer) => {
      t.log('dns.lookup', host, family, typeof answer);
      process.nextTick(answer, null, '127.0.0.1', 4);
    };
    dns.lookup = replaced as unknown as typeof dns.lookup;
    try {
      const socket = t.socket('udp4');
      t.watch(socket);
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      for (const address of ['127.0.0.1', undefined, 'some.where']) {
        const sent = t.awaited(`sent to ${address}`);
        socket.send('x', port, address, sent.call);
        await sent.called;
      }
      socket.connect(port, '127.0.0.1');
      await once(socket, 'connect');
    } finally {
      dns.lookup = original;
    }
  },

  'one that throws': async (t) => {
    const lookup = () => {
      throw new Error('thrown by lookup');
    };
    const socket = t.socket({ type: 'udp4', lookup });
    t.attempt('bind', () => socket.bind(0));
    t.attempt('send', () => t.socket({ type: 'udp4', lookup }).send('x', 9));
  },

  'slow answers keep their order': async (t) => {
    const peer = await t.peer();
    const { port } = peer.address();
    const waiting: Answer[] = [];
    const lookup = (host: unknown, _family: unknown, answer: Answer) => {
      if (host !== 'x') process.nextTick(answer, null, '127.0.0.1');
      else if (waiting.push(answer) === 2) {
        for (const late of waiting.reverse()) setImmediate(late, null, '127.0.0.1');
      }
    };
    const socket = t.socket({ type: 'udp4', lookup });
    const heard: string[] = [];
    peer.on('message', (msg) => heard.push(String(msg)));
    for (const i of [1, 2]) socket.send(`${i}`, port, 'x', t.callback(`sent ${i}`));
    while (heard.length < 2) await once(peer, 'message');
    await t.settle();
    t.log('heard', heard);
  },
};
