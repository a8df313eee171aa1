// Names of ports: the part of /etc/services that tools print for well-known numbers.

const TCP_AND_UDP: readonly (readonly [string, number])[] = [
  ['tcpmux', 1],
  ['echo', 7],
  ['discard', 9],
  ['daytime', 13],
  ['chargen', 19],
  ['ftp-data', 20],
  ['ftp', 21],
  ['ssh', 22],
  ['telnet', 23],
  ['smtp', 25],
  ['time', 37],
  ['whois', 43],
  ['tacacs', 49],
  ['domain', 53],
  ['bootps', 67],
  ['bootpc', 68],
  ['tftp', 69],
  ['gopher', 70],
  ['finger', 79],
  ['http', 80],
  ['kerberos', 88],
  ['pop3', 110],
  ['sunrpc', 111],
  ['auth', 113],
  ['nntp', 119],
  ['ntp', 123],
  ['epmap', 135],
  ['netbios-ns', 137],
  ['netbios-dgm', 138],
  ['netbios-ssn', 139],
  ['imap2', 143],
  ['snmp', 161],
  ['snmp-trap', 162],
  ['bgp', 179],
  ['irc', 194],
  ['ldap', 389],
  ['https', 443],
  ['snpp', 444],
  ['microsoft-ds', 445],
  ['submissions', 465],
  ['isakmp', 500],
  ['syslog', 514],
  ['printer', 515],
  ['submission', 587],
  ['ipp', 631],
  ['ldaps', 636],
  ['domain-s', 853],
  ['rsync', 873],
  ['imaps', 993],
  ['pop3s', 995],
  ['socks', 1080],
  ['openvpn', 1194],
  ['ms-sql-s', 1433],
  ['mqtt', 1883],
  ['nfs', 2049],
  ['etcd-client', 2379],
  ['etcd-server', 2380],
  ['mysql', 3306],
  ['ms-wbt-server', 3389],
  ['svn', 3690],
  ['sip', 5060],
  ['xmpp-client', 5222],
  ['mdns', 5353],
  ['postgresql', 5432],
  ['amqp', 5672],
  ['x11', 6000],
  ['redis', 6379],
  ['http-alt', 8080],
];

const BY_NAME = new Map(TCP_AND_UDP);
const BY_PORT = new Map(TCP_AND_UDP.map(([name, port]) => [port, name]));

/** The name of a port; undefined if it has none. */
export function serviceName(port: number): string | undefined {
  return BY_PORT.get(port);
}

/** The port of a name; undefined if it is unknown. */
export function servicePort(name: string): number | undefined {
  return BY_NAME.get(name === 'www' ? 'http' : name);
}
