/** The protocols that `probe` has questions of. Apart from them, so that --help loads none. */
export const protocolNames = ['dns', 'ntp', 'stun', 'coap', 'snmp', 'sip', 'tftp', 'ssdp'] as const;
export type ProtocolName = (typeof protocolNames)[number];
