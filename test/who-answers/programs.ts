/** The servers: how each is started on all addresses, and what it is asked. Files are written below a folder of its own. */
import { radiusQuestion, SECRET } from './radius';

export interface Setup {
  /** What the page calls it: the words of its configuration. */
  readonly label: string;
  readonly files: Readonly<Record<string, string>>;
  /** @param folder where the files are */
  command(folder: string): readonly string[];
}

export interface Program {
  readonly name: string;
  /** Debian's package, whose version the page tells. */
  readonly debian: string;
  readonly port: number;
  /** Of `recvfromto probe`. */
  readonly protocol: string;
  readonly setups: readonly Setup[];
}

const dnsmasq = (label: string, ...options: string[]): Setup => ({
  label,
  files: {},
  command: (folder) => [
    'dnsmasq',
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--no-resolv',
    '--no-hosts',
    '--user=root',
    `--pid-file=${folder}/pid`,
    ...options,
  ],
});

const unbound = (label: string, ...lines: string[]): Setup => ({
  label,
  files: {
    conf: `server:
  do-daemonize: no
  use-syslog: no
  chroot: ""
  username: ""
  pidfile: ""
  module-config: "iterator"
  access-control: 0.0.0.0/0 allow
  access-control: ::0/0 allow
${lines.map((line) => `  ${line}`).join('\n')}
remote-control:
  control-enable: no
`,
  },
  command: (folder) => ['unbound', '-d', '-c', `${folder}/conf`],
});

const named = (label: string, ...lines: string[]): Setup => ({
  label,
  files: {
    conf: `options { directory "."; pid-file "pid"; session-keyfile "key"; recursion no; dnssec-validation no;
  ${lines.join(' ')} };
controls { };
`,
  },
  command: (folder) => ['sh', '-c', `cd ${folder} && exec named -g -n 1 -c conf`],
});

const coturn = (label: string, ...options: string[]): Setup => ({
  label,
  files: {},
  command: (folder) => [
    'turnserver',
    '-n',
    '--no-auth',
    '--no-tls',
    '--no-dtls',
    '--no-cli',
    '--log-file=stdout',
    `--pidfile=${folder}/pid`,
    `--userdb=${folder}/db`,
    ...options,
  ],
});

const tftpd = (label: string, address: string): Setup => ({
  label,
  files: {},
  command: (folder) => ['in.tftpd', '--foreground', '--user', 'root', '--address', address, '--secure', folder],
});

export const programs: readonly Program[] = [
  {
    name: 'dnsmasq',
    debian: 'dnsmasq-base',
    port: 53,
    protocol: 'dns',
    setups: [
      dnsmasq('as it comes'),
      dnsmasq('`bind-interfaces`', '--bind-interfaces'),
      dnsmasq('`bind-dynamic`', '--bind-dynamic'),
    ],
  },
  {
    name: 'unbound',
    debian: 'unbound',
    port: 53,
    protocol: 'dns',
    setups: [
      unbound('`interface: 0.0.0.0` and `::0`', 'interface: 0.0.0.0', 'interface: ::0'),
      unbound('with `interface-automatic: yes`', 'interface-automatic: yes', 'interface: 0.0.0.0', 'interface: ::0'),
    ],
  },
  {
    name: 'named',
    debian: 'bind9',
    port: 53,
    protocol: 'dns',
    setups: [
      named('`listen-on { any; }` and `listen-on-v6 { any; }`', 'listen-on { any; };', 'listen-on-v6 { any; };'),
    ],
  },
  {
    name: 'chronyd',
    debian: 'chrony',
    port: 123,
    protocol: 'ntp',
    setups: [
      {
        label: '`allow all`',
        files: { conf: 'local stratum 10\nallow all\ncmdport 0\nbindcmdaddress /\n' },
        command: (folder) => [
          'sh',
          '-c',
          `echo 'pidfile ${folder}/pid' >> ${folder}/conf && exec chronyd -d -x -u root -f ${folder}/conf`,
        ],
      },
    ],
  },
  {
    name: 'turnserver (coturn)',
    debian: 'coturn',
    port: 3478,
    protocol: 'stun',
    setups: [
      coturn('as it comes'),
      coturn('`listening-ip=0.0.0.0` and `::`', '--listening-ip=0.0.0.0', '--listening-ip=::'),
    ],
  },
  {
    name: 'snmpd',
    debian: 'snmpd',
    port: 161,
    protocol: 'snmp',
    setups: [
      {
        label: '`udp:161` and `udp6:161`',
        files: { conf: 'rocommunity public\nrocommunity6 public\n' },
        command: (folder) => [
          'sh',
          '-c',
          `SNMP_PERSISTENT_DIR=${folder} exec snmpd -f -Lo -C -c ${folder}/conf -p ${folder}/pid udp:161 udp6:161`,
        ],
      },
    ],
  },
  {
    name: 'in.tftpd (tftpd-hpa)',
    debian: 'tftpd-hpa',
    port: 69,
    protocol: 'tftp',
    setups: [
      tftpd('`--address 0.0.0.0:69`', '0.0.0.0:69'),
      tftpd('`--address [::]:69`', '[::]:69'),
      tftpd('`--address :69`', ':69'),
    ],
  },
  {
    name: 'freeradius',
    debian: 'freeradius',
    port: 1812,
    protocol: radiusQuestion(),
    setups: [
      {
        label: '`ipaddr = *` and `ipv6addr = ::`',
        files: { 'radiusd.conf': radiusd() },
        command: (folder) => ['freeradius', '-f', '-l', 'stdout', '-d', folder, '-n', 'radiusd'],
      },
    ],
  },
];

function radiusd(): string {
  const block = (head: string, ...lines: readonly string[]) => [`${head} {`, ...lines, '}'];
  return [
    'libdir = /usr/lib/freeradius',
    ...block('security', 'status_server = yes', 'reject_delay = 0', 'max_attributes = 200'),
    ...block('thread pool', 'start_servers = 1', 'max_servers = 2', 'min_spare_servers = 1', 'max_spare_servers = 2'),
    'modules {',
    ...block('always ok', 'rcode = ok'),
    '}',
    ...block('client all4', 'ipaddr = 0.0.0.0/0', `secret = ${SECRET}`),
    ...block('client all6', 'ipv6addr = ::/0', `secret = ${SECRET}`),
    'server all {',
    ...block('listen', 'type = auth', 'ipaddr = *', 'port = 1812'),
    ...block('listen', 'type = auth', 'ipv6addr = ::', 'port = 1812'),
    'authorize {',
    ...block('Autz-Type Status-Server', 'ok'),
    '}',
    '}',
    '',
  ].join('\n');
}
