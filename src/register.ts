/** `node --import recvfromto/register` or `node -r recvfromto/register`: see socket/dgram/install.ts. */
import { install } from './socket/dgram/install';

/** Puts node:dgram's own sockets back. */
export const uninstall = install();
