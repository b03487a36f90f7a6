/** Every form of import, as compilers of TypeScript turn it into JavaScript. */

import * as namespace from 'recvfromto';
import dgram, { createSocket } from 'recvfromto';

const forms = { default: dgram.createSocket, namespace: namespace.createSocket, of: namespace.default.createSocket };
for (const [form, value] of Object.entries(forms)) {
  if (value !== createSocket) throw new Error(`${form}: another createSocket`);
}
console.log('one createSocket');
