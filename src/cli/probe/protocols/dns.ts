/** RFC 1035. Servers that refuse a question say so, and from somewhere: that is all that is asked. */
import { randomInt } from 'node:crypto';
import { decode, encode, RECURSION_DESIRED } from 'dns-packet';
import type { Protocol } from '../protocol';
import { reading } from '../protocol';

/** version.bind (RFC 4892) first: it is answered without asking anybody else. */
const QUESTIONS = [
  { name: 'version.bind', type: 'TXT', class: 'CH' },
  { name: '.', type: 'NS', class: 'IN' },
  { name: 'localhost', type: 'A', class: 'IN' },
] as const;

export const dns: Protocol = {
  name: 'dns',
  questions(attempt) {
    const id = randomInt(65536);
    const question = QUESTIONS[attempt % QUESTIONS.length]!;
    const msg = encode({ type: 'query', id, flags: RECURSION_DESIRED, questions: [{ ...question }] });
    const read = reading((answer) => {
      const {
        id: told,
        type,
        answers = [],
        ...rest
      } = decode(answer) as ReturnType<typeof decode> & { rcode?: string };
      if (told !== id || type !== 'response') return undefined;
      const texts = answers.flatMap((one) => (one.type === 'TXT' ? [String(one.data)] : []));
      return texts.length > 0 ? texts.join(' ') : (rest.rcode ?? 'answered');
    });
    return [{ msg, read }];
  },
};
