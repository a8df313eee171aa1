// Transcripts of tables.test.ts that differ, with the reason. The list may only get shorter.
const HISTORY = 'shows neighbours that earlier recordings on that machine had left behind';
const SERVERS = 'talks to servers of the recorded cluster that this test does not start';
const IPVS = 'was recorded with kube-proxy in ipvs mode, which this test does not install';
const NAMESPACES = "ip netns lists nothing: named namespaces aren't simulated";
const TUNL0 = 'tunl0, which the ipip module makes, is not there';
const HELP = 'the help text is shortened';

export const KNOWN: Readonly<Record<string, string>> = {
  'arp/01-n': HISTORY,
  'arp/02-a': HISTORY,
  'arp/03-an': HISTORY,
  'arp/04-one': HISTORY,
  'arp/06-del': HISTORY,
  'ip/13-d-link-eth0': "the recorded card is virtio's, not one of a PCI bus",
  'ip/36-neigh': HISTORY,
  'ip/38-neigh-s': HISTORY,
  'ip/42-pod-neigh': HISTORY,
  'ip/44-netns-list': NAMESPACES,
  'ip/45-netns-exec': NAMESPACES,
  'ip/54-help-addr': HELP,
  'ip/55-help-route': HELP,
  'ip/56-help-link-short': HELP,
  'ip/77-macvlan': "macvlan isn't simulated",
  'ip/79-ipip': TUNL0,
  'ip/80-tunnel-show': TUNL0,
  'ip/82-monitor-route': 'ends with Ctrl-C, which this test does not type',
  'ip/86-ipvs-kube-ipvs0': IPVS,
  'ip/87-ipvs-br-a': IPVS,
  'ip/88-ipvs-d-link': IPVS,
  'ip/89-ipvs-route-local': IPVS,
  'ip/90-ipvs-route-get': IPVS,
  'nc/01-z': SERVERS,
  'nc/06-range': SERVERS,
  'nc/07-http': SERVERS,
  'route/02-plain': "asks the LAN's name server, which this test does not start",
  'telnet/01-ok': SERVERS,
};
