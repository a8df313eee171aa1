// The virtual internet: a public resolver, a handful of well-known names, their pages, and the router's DNS relay.
import {
  exchangeDns,
  serveDns,
  type DnsMessage,
  type DnsRecord,
  type DnsReply,
} from '../network/dns/index.ts';
import { headerOf, serveHttp, type HttpHandler } from '../network/http/index.ts';
import { ErrnoError, type NetworkNamespace } from '../network/index.ts';
import type { Clock } from '../simulation/index.ts';

/** A name of the internet: an alias, or addresses with a page behind them. */
interface Site {
  readonly name: string;
  readonly alias?: string;
  readonly addresses?: readonly string[];
  /** Shown in its page's title; absent: it serves no page. */
  readonly title?: string;
}

/** Public resolvers that answer here. */
const RESOLVERS = ['223.5.5.5', '114.114.114.114', '8.8.8.8'];
const UPSTREAM = '223.5.5.5';
const TTL_SECONDS = 300;
const RELAY_TIMEOUT_MS = 3000;

const SITES: readonly Site[] = [
  { name: 'www.baidu.com', alias: 'www.a.shifen.com' },
  { name: 'www.a.shifen.com', addresses: ['110.242.68.3', '110.242.68.4'], title: '百度一下，你就知道' },
  { name: 'baidu.com', addresses: ['39.156.66.10', '110.242.68.66'], title: '百度' },
  { name: 'www.qq.com', addresses: ['121.14.77.221'], title: '腾讯网' },
  { name: 'www.aliyun.com', addresses: ['106.11.249.99'], title: '阿里云' },
  { name: 'github.com', addresses: ['20.205.243.166'], title: 'GitHub' },
  { name: 'raw.githubusercontent.com', addresses: ['185.199.108.133', '185.199.109.133'] },
  { name: 'kubernetes.io', addresses: ['15.197.167.90'], title: 'Kubernetes' },
  // Mirrors: package managers look whether they can be reached.
  { name: 'mirrors.aliyun.com', addresses: ['119.96.90.238'] },
  { name: 'mirror.centos.org', addresses: ['151.101.1.167'] },
  { name: 'mirrorlist.centos.org', addresses: ['151.101.65.167'] },
  { name: 'deb.debian.org', addresses: ['151.101.2.132'] },
  { name: 'security.debian.org', addresses: ['151.101.66.132'] },
  { name: 'archive.ubuntu.com', addresses: ['185.125.190.81'] },
  { name: 'security.ubuntu.com', addresses: ['185.125.190.83'] },
  { name: 'dl-cdn.alpinelinux.org', addresses: ['151.101.2.133'] },
  { name: 'example.com', addresses: ['93.184.215.14'], title: 'Example Domain' },
  { name: 'dns.alidns.com', addresses: ['223.5.5.5'] },
];

export interface InternetOptions {
  /** Where the servers are. */
  readonly internet: NetworkNamespace;
  /** Relays DNS for the LAN at `routerAddress`. */
  readonly router: NetworkNamespace;
  readonly routerAddress: string;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/** Puts the servers on their addresses and lets them answer until disposed. */
export function openInternet({
  internet,
  router,
  routerAddress,
  clock,
  onError,
}: InternetOptions): Disposable {
  const stack = new DisposableStack();
  const addresses = new Set([...RESOLVERS, ...SITES.flatMap((site) => site.addresses ?? [])]);
  for (const address of addresses)
    internet.addresses.add(internet.links.loopback, { address, prefixLength: 32 });
  for (const address of RESOLVERS) {
    stack.use(
      serveDns(internet.sockets, (query) => Promise.resolve(answer(query)), {
        local: { address, port: 53 },
        onError,
      }),
    );
  }
  const listener = stack.use(internet.sockets.listenTcp({ address: '0.0.0.0', port: 80 }));
  stack.use(serveHttp(listener, page, { onError }));
  const relay = async (query: DnsMessage): Promise<DnsReply | undefined> => {
    try {
      const { message } = await exchangeDns(router.sockets, { address: UPSTREAM, port: 53 }, query, {
        clock,
        timeoutMs: RELAY_TIMEOUT_MS,
      });
      const { code, answers, authorities } = message;
      return { code, answers, authorities, isRecursionAvailable: true };
    } catch (error) {
      if (error instanceof ErrnoError) return { code: 'SERVFAIL' };
      throw error;
    }
  };
  stack.use(serveDns(router.sockets, relay, { local: { address: routerAddress, port: 53 }, onError }));
  return stack;
}

/** What a public resolver says of the names that there are. */
function answer(query: DnsMessage): DnsReply {
  const [question] = query.questions;
  const name = question!.name.toLowerCase();
  const found = SITES.find((site) => site.name === name);
  if (found === undefined) return { code: 'NXDOMAIN', isRecursionAvailable: true };
  const answers: DnsRecord[] = [];
  let site: Site | undefined = found;
  while (site?.alias !== undefined) {
    const alias: string = site.alias;
    answers.push({
      type: 'CNAME',
      name: answers.length === 0 ? question!.name : site.name,
      ttl: TTL_SECONDS,
      data: alias,
    });
    site = SITES.find((each) => each.name === alias);
  }
  if (question!.type === 'A') {
    const owner = answers.length === 0 ? question!.name : site!.name;
    for (const address of site?.addresses ?? [])
      answers.push({ type: 'A', name: owner, ttl: TTL_SECONDS, data: address });
  }
  return { code: 'NOERROR', answers, isRecursionAvailable: true };
}

/** Every site's front page, chosen by Host. */
const page: HttpHandler = (request) => {
  const host = (headerOf(request.headers, 'Host') ?? '').replace(/:\d+$/, '').toLowerCase();
  const named = SITES.find((site) => site.name === host);
  const site = named?.alias === undefined ? named : SITES.find((each) => each.name === named.alias);
  if (site?.title === undefined) {
    return Promise.resolve({
      status: 404,
      headers: [['Content-Type', 'text/plain']],
      body: '404 page not found\n',
    });
  }
  return Promise.resolve({
    status: 200,
    headers: [['Content-Type', 'text/html; charset=utf-8']],
    body: `<!DOCTYPE html>\n<html>\n<head><meta charset="utf-8"><title>${site.title}</title></head>\n<body>\n<h1>${site.title}</h1>\n<p>${host}, as Drydock's virtual internet has it.</p>\n</body>\n</html>\n`,
  });
};
